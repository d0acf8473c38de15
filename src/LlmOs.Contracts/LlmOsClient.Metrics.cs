namespace LlmOs.Contracts;

/// <content>Metrics of texts against references.</content>
public sealed partial class LlmOsClient
{
    /// <summary>The metrics that there are, with their options.</summary>
    public Task<Page<MetricView>> ListMetricsAsync(CancellationToken cancel) => GetAsync<Page<MetricView>>("api/v1/metrics", cancel);

    /// <summary>Scores texts.</summary>
    public Task<MetricReply> ScoreAsync(string metric, MetricRequest request, CancellationToken cancel) =>
        SendAsync<MetricReply>(HttpMethod.Post, $"api/v1/metrics/{Uri.EscapeDataString(metric)}", request, cancel);
}
