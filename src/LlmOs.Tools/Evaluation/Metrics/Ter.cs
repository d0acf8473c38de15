using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Translation edit rate as sacreBLEU computes it.</summary>
internal sealed class Ter : IMetric
{
    public string Name => "ter";

    public string Summary => "The edits and shifts of phrases that the prediction takes to become a reference, per 100 words of the references, as sacreBLEU computes it.";

    public bool HigherIsBetter => false;

    public double Scale => 100;

    public MetricScorer Prepare(MetricOptions options)
    {
        var normalized = options.Flag("normalized", false);
        var noPunctuation = options.Flag("no_punct", false);
        var asian = options.Flag("asian_support", false);
        var caseSensitive = options.Flag("case_sensitive", false);
        var words = new TerWords(normalized, noPunctuation, asian, caseSensitive);
        return (rows, work) =>
        {
            var (edits, length) = (0L, 0.0);
            var scores = new double?[rows.Count];
            for (var i = 0; i < rows.Count; i++)
            {
                var prediction = words.Of(rows[i].Prediction);
                var references = rows[i].References.Select(words.Of).ToList();
                var fewest = references.Min(reference => TerEdits.Count(prediction, reference, work, i));
                var mean = references.Average(reference => reference.Count);
                scores[i] = Rate(fewest, mean);
                edits += fewest;
                length += mean;
            }

            return new MetricScore(Rate(edits, length), scores)
            {
                Signature = SacreBleu.Signature(
                    rows, ("case", caseSensitive ? "mixed" : "lc"), ("tok", "tercom"), ("norm", Word(normalized)), ("punct", Word(!noPunctuation)), ("asian", Word(asian))),
                Details = new Dictionary<string, JsonElement> { ["edits"] = MetricDetail.Of(edits), ["ref_len"] = MetricDetail.Of(length) },
            };
        };
    }

    /// <summary>Without a word in the references: all wrong, or nothing to be wrong.</summary>
    private static double Rate(long edits, double length) => length > 0 ? 100 * edits / length : edits > 0 ? 100 : 0;

    private static string Word(bool yes) => yes ? "yes" : "no";
}
