using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Edits per part of the reference: words for WER, characters for CER. Nothing is normalised.</summary>
internal sealed class ErrorRate(string name, string parts, Func<string, List<string>> split) : IMetric
{
    public string Name => name;

    public string Summary => $"The insertions, deletions and substitutions that the prediction takes to become the reference, per {parts} of the reference; all edits over all {parts}.";

    public bool ManyReferences => false;

    public bool HigherIsBetter => false;

    public MetricScorer Prepare(MetricOptions options) => (rows, work) =>
    {
        var (edits, length) = (0L, 0L);
        var scores = new double?[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            var reference = split(rows[i].References[0]);
            var distance = EditDistance.Of(split(rows[i].Prediction), reference, work, i);
            scores[i] = reference.Count == 0 ? null : (double)distance / reference.Count;
            edits += distance;
            length += reference.Count;
        }

        return new MetricScore(length == 0 ? null : (double)edits / length, scores)
        {
            Details = new Dictionary<string, JsonElement> { ["edits"] = MetricDetail.Of(edits), [parts] = MetricDetail.Of(length) },
        };
    };
}
