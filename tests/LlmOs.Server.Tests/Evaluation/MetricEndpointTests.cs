using System.Net;
using LlmOs.Contracts;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Evaluation;

/// <summary>Metrics over HTTP and through the client.</summary>
public sealed class MetricEndpointTests(ServerProcess server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Texts_are_scored_in_the_shape_that_is_published()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/api/v1/metrics/bleu", new { predictions = new[] { "The dog bit the man." }, references = new[] { new[] { "The dog bit the man." } } });

        Assert.Equal(["metric", "score", "signature", "scores", "details"], reply.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("bleu", 100), (reply.GetProperty("metric").GetString(), Math.Round(reply.GetProperty("score").GetDouble(), 9)));
        Assert.Equal(6, reply.GetProperty("details").GetProperty("sys_len").GetInt32());
    }

    [Fact]
    public async Task The_client_lists_and_scores_with_a_key_for_inference_or_reading_alone()
    {
        using var admin = server.Client();
        foreach (var scope in new[] { "inference", "read" })
        {
            var made = await admin.PostAsync("/api/v1/keys", Json.Body(new { name = scope, scopes = new[] { scope } }), Cancel);
            using var client = new LlmOsClient(server.Client(Json.Parse(await made.Content.ReadAsStringAsync(Cancel)).GetProperty("key").GetString()));

            var metrics = await client.ListMetricsAsync(Cancel);
            var reply = await client.ScoreAsync("chrf++", new MetricRequest { Predictions = ["a b"], References = [["a b"]] }, Cancel);

            Assert.Contains(metrics.Items, metric => metric.Name == "rougeLsum");
            Assert.Equal(100, reply.Score!.Value, 1e-9);
        }
    }

    [Theory]
    [InlineData("bleu", "options.colour", """{"predictions":["a"],"references":[["a"]],"options":{"colour":1}}""")]
    [InlineData("bleu", "references", """{"predictions":["a","b"],"references":[["a"]]}""")]
    [InlineData("bleu", "references[0]", """{"predictions":["a"],"references":[[]]}""")]
    [InlineData("bleu", "references[0]", """{"predictions":["a"],"references":["a"]}""")]
    [InlineData("bleu", "predictions", """{"predictions":[],"references":[]}""")]
    [InlineData("wer", "references[0]", """{"predictions":["a"],"references":[["a","b"]]}""")]
    public async Task What_does_not_fit_is_a_400_by_its_field(string metric, string field, string body)
    {
        using var client = server.Client();

        using var answer = await client.PostAsync($"/api/v1/metrics/{metric}", Json.Raw(body), Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains($"\"{field}\"", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_rows_than_10000_are_refused_and_an_unknown_metric_is_a_404_that_lists_them()
    {
        using var client = server.Client();
        var many = new { predictions = Enumerable.Repeat("a", 10_001), references = Enumerable.Repeat(new[] { "a" }, 10_001) };

        using var tooMany = await client.PostAsync("/api/v1/metrics/accuracy", Json.Body(many), Cancel);
        using var unknown = await client.PostAsync("/api/v1/metrics/meteor", Json.Raw("""{"predictions":["a"],"references":[["a"]]}"""), Cancel);

        Assert.Equal((HttpStatusCode.BadRequest, HttpStatusCode.NotFound), (tooMany.StatusCode, unknown.StatusCode));
        Assert.Contains("10000", await tooMany.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Contains("exact_match", await unknown.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }
}
