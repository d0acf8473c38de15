using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>F1 of each label, averaged over the labels that occur, as scikit-learn does it; what is not defined counts 0.</summary>
internal sealed class MacroF1 : IMetric
{
    public string Name => "macro_f1";

    public string Summary => "The F1 of each label, averaged over the labels that occur in predictions or references.";

    public bool ManyReferences => false;

    public MetricScorer Prepare(MetricOptions options) => (rows, _) =>
    {
        var labels = new SortedDictionary<string, Counts>(StringComparer.Ordinal);
        Counts Of(string label) => labels.TryGetValue(label, out var counts) ? counts : labels[label] = new Counts();
        foreach (var row in rows)
        {
            Of(row.Prediction).Predicted++;
            Of(row.References[0]).Support++;
            Of(row.Prediction).Right += row.Prediction == row.References[0] ? 1 : 0;
        }

        // A single row is a set of its own: 1 where its label is right, else 0.
        return new MetricScore(labels.Values.Average(label => label.F1), [.. rows.Select(row => (double?)(row.Prediction == row.References[0] ? 1 : 0))])
        {
            Details = new Dictionary<string, JsonElement>
            {
                ["labels"] = MetricDetail.Of(labels.ToDictionary(pair => pair.Key, pair => new Label(pair.Value.Precision, pair.Value.Recall, pair.Value.F1, pair.Value.Support))),
            },
        };
    };

    private sealed class Counts
    {
        public int Predicted { get; set; }

        public int Support { get; set; }

        public int Right { get; set; }

        public double Precision => Share(Right, Predicted);

        public double Recall => Share(Right, Support);

        public double F1 => Share(2 * Right, Predicted + Support);

        private static double Share(int part, int whole) => whole == 0 ? 0 : (double)part / whole;
    }

    private sealed record Label(double Precision, double Recall, double F1, int Support);
}
