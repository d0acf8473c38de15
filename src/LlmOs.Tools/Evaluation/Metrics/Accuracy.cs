using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>The share of labels that are right.</summary>
internal sealed class Accuracy : IMetric
{
    public string Name => "accuracy";

    public string Summary => "The share of predicted labels that equal the label of their row.";

    public bool ManyReferences => false;

    public MetricScorer Prepare(MetricOptions options) => (rows, _) =>
    {
        var right = rows.Select(row => (double?)(row.Prediction == row.References[0] ? 1 : 0)).ToList();
        return MetricScore.Mean(right) with { Details = new Dictionary<string, JsonElement> { ["correct"] = MetricDetail.Of((int)right.Sum()!.Value), ["rows"] = MetricDetail.Of(rows.Count) } };
    };
}
