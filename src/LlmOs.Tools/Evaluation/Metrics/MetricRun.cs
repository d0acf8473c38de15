using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Scores the rows of a request off its thread; few at a time, so that other requests keep their cores.</summary>
internal sealed class MetricRun : IDisposable
{
    /// <summary>Counting the grams of a character takes as long as so many cells; each reference is held against all of a prediction.</summary>
    private const long CellsPerCharacter = 64;

    private readonly SemaphoreSlim _turns = new(Math.Max(1, Environment.ProcessorCount / 2));

    public static MetricView Describe(IMetric metric)
    {
        var options = new MetricOptions(new Dictionary<string, JsonElement>());
        metric.Prepare(options);
        return new MetricView(metric.Name, metric.Summary, metric.Scale, metric.HigherIsBetter, metric.ManyReferences, options.Known);
    }

    public async Task<MetricReply> ScoreAsync(string name, MetricRequest request, CancellationToken cancel)
    {
        var metric = MetricRegistry.Find(name);
        var options = new MetricOptions(request.Options ?? new Dictionary<string, JsonElement>());
        var score = metric.Prepare(options);
        options.RefuseUnknown(metric.Name);
        var rows = RowsOf(metric, request);

        await _turns.WaitAsync(cancel);
        try
        {
            var work = new MetricWork(cancel);
            for (var i = 0; i < rows.Count; i++)
            {
                work.Take(CellsPerCharacter * (rows[i].Prediction.Length + 1L) * rows[i].References.Count, i);
            }

            var result = await Task.Run(() => score(rows, work), cancel);
            return new MetricReply(metric.Name, result.Score, result.Signature, result.Rows, result.Details);
        }
        finally
        {
            _turns.Release();
        }
    }

    public void Dispose() => _turns.Dispose();

    private static List<MetricRow> RowsOf(IMetric metric, MetricRequest request)
    {
        if (request.References.Count != request.Predictions.Count)
        {
            throw LlmOsException.Invalid("references", $"references: {request.References.Count} rows for {request.Predictions.Count} predictions. Give the references of each row: [[\"...\"], ...].");
        }

        return [.. request.Predictions.Zip(request.References, (prediction, references) => new MetricRow(prediction, references)).Select((row, i) => row.References.Count switch
        {
            0 => throw LlmOsException.Invalid($"references[{i}]", $"references[{i}]: must hold at least one reference; an empty text is one."),
            > 1 when !metric.ManyReferences => throw LlmOsException.Invalid($"references[{i}]", $"references[{i}]: holds {row.References.Count}; '{metric.Name}' takes one reference a row."),
            _ => row,
        })];
    }
}
