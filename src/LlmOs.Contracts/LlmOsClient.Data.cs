using System.Globalization;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <content>Data sets.</content>
public sealed partial class LlmOsClient
{
    public Task<Page<DatasetView>> ListDatasetsAsync(string? after, CancellationToken cancel) =>
        GetAsync<Page<DatasetView>>("api/v1/datasets" + Query(("after", after)), cancel);

    public Task<DatasetView> GetDatasetAsync(string name, CancellationToken cancel) => GetAsync<DatasetView>(DatasetPath(name), cancel);

    public Task<DatasetVersionView> GetDatasetVersionAsync(string name, int version, CancellationToken cancel) =>
        GetAsync<DatasetVersionView>(DatasetPath(name, version), cancel);

    public Task<DatasetStatistics> GetDatasetStatisticsAsync(string name, int version, CancellationToken cancel) =>
        GetAsync<DatasetStatistics>(DatasetPath(name, version) + "/statistics", cancel);

    /// <summary>For which training the rows are, and which of the first of them do not fit.</summary>
    /// <param name="rows">How many are checked; null: the server's default.</param>
    public Task<DatasetShape> GetDatasetShapeAsync(string name, int version, int? rows, CancellationToken cancel) =>
        GetAsync<DatasetShape>(DatasetPath(name, version) + "/shape" + Query(("rows", rows?.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>Rows as they are, after the row of a number.</summary>
    public Task<Page<JsonElement>> ListDatasetRowsAsync(string name, int version, string? split, string? after, int limit, CancellationToken cancel) =>
        GetAsync<Page<JsonElement>>(
            DatasetPath(name, version) + "/rows" + Query(("split", split), ("after", after), ("limit", limit.ToString(CultureInfo.InvariantCulture))), cancel);

    /// <summary>Starts an import; the job's result is a <see cref="DatasetJobResult"/>.</summary>
    public async Task<JobView> ImportDatasetAsync(string name, DatasetImportRequest request, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, DatasetPath(name) + "/versions", request, cancel)).Job;

    /// <summary>Starts a preparation; the job's result is a <see cref="PreparationResult"/>.</summary>
    /// <param name="specification">A <see cref="PreparationRequest"/> without a preview.</param>
    public async Task<JobView> PrepareDatasetAsync(JsonElement specification, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/preparations", specification, cancel)).Job;

    /// <summary>What a preparation would make of the first rows.</summary>
    /// <param name="specification">A <see cref="PreparationRequest"/> with a preview.</param>
    public Task<PreparationResult> PreviewPreparationAsync(JsonElement specification, CancellationToken cancel) =>
        SendAsync<PreparationResult>(HttpMethod.Post, "api/v1/preparations", specification, cancel);

    /// <summary>Starts a search for leaked rows; the job's result is a <see cref="LeakageResult"/>.</summary>
    public async Task<JobView> FindLeaksAsync(LeakageRequest request, CancellationToken cancel) =>
        (await SendAsync<JobAccepted>(HttpMethod.Post, "api/v1/leakage", request, cancel)).Job;

    /// <summary>Writes all rows, or those of a split, into a stream.</summary>
    /// <param name="format"><c>jsonl</c>, <c>csv</c> or <c>parquet</c>.</param>
    public async Task DownloadDatasetAsync(string name, int version, string format, string? split, Stream to, CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Get, DatasetPath(name, version) + "/download" + Query(("format", format), ("split", split)), null, cancel);
        await response.Content.CopyToAsync(to, cancel);
    }

    /// <summary>The version that <c>name:3</c>, or <c>name</c> for the newest one, stands for.</summary>
    public async Task<(string Name, int Version)> FindDatasetVersionAsync(string reference, CancellationToken cancel)
    {
        var at = reference.IndexOf(':', StringComparison.Ordinal);
        return at > 0 && int.TryParse(reference.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? (reference[..at], number)
            : (reference, (await GetDatasetAsync(reference, cancel)).Versions.Max());
    }

    private static string DatasetPath(string name) => $"api/v1/datasets/{Uri.EscapeDataString(name)}";

    private static string DatasetPath(string name, int version) => $"{DatasetPath(name)}/versions/{version}";
}
