using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Writes the rows of a version that is being made: a Parquet file for each split, the hash, the statistics.</summary>
internal sealed class VersionWriter(string folder, RowSchema schema) : IAsyncDisposable
{
    private readonly List<(string Split, string Path, ParquetRowWriter Writer)> _splits = [];
    private readonly RowDigest _digest = new(schema);
    private readonly ColumnStatistics[] _statistics = [.. schema.Columns.Select(c => new ColumnStatistics(c))];
    private bool _isFinished;

    public long Rows { get; private set; }

    /// <param name="values">As the columns of the schema hold them.</param>
    public async Task AddAsync(string split, object?[] values, CancellationToken cancel)
    {
        var at = _splits.FindIndex(s => s.Split == split);
        if (at < 0)
        {
            var path = Path.Combine(folder, $"split-{_splits.Count}.parquet");
            _splits.Add((split, path, await ParquetRowWriter.CreateAsync(path, schema, cancel)));
            at = _splits.Count - 1;
        }

        await _splits[at].Writer.AddAsync(values, cancel);
        _digest.Add(split, values);
        for (var column = 0; column < values.Length; column++)
        {
            _statistics[column].Add(values[column]);
        }

        Rows++;
    }

    /// <summary>Hands the files to the job, which shows them with its result or not at all.</summary>
    public async Task<NewDatasetVersion> FinishAsync(string dataset, string? license, DatasetLineage lineage, JobContext job, CancellationToken cancel)
    {
        _isFinished = true;
        List<NewDatasetFile> files = [];
        foreach (var (split, path, writer) in _splits)
        {
            await writer.DisposeAsync();
            await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
            files.Add(new NewDatasetFile(split, await job.StageAsync(content, cancel), writer.Rows));
        }

        return new NewDatasetVersion(
            dataset, [.. schema.Columns.Select(c => c.ToView())], files, _digest.Finish(), [.. _statistics.Select(s => s.ToView())], license, lineage);
    }

    public async ValueTask DisposeAsync()
    {
        _digest.Dispose();
        if (!_isFinished)
        {
            foreach (var (_, _, writer) in _splits)
            {
                await writer.DisposeAsync();
            }
        }
    }
}
