using System.Text.Json;
using System.Text.RegularExpressions;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>ROUGE as the package rouge_score computes it; the best reference of a row counts.</summary>
internal sealed partial class Rouge(string name, RougeKind kind) : IMetric
{
    public string Name => name;

    public string Summary => name switch
    {
        "rouge1" => "The F-score of the words that prediction and reference share.",
        "rouge2" => "The F-score of the pairs of words that prediction and reference share.",
        "rougeL" => "The F-score of the longest common subsequence of words.",
        _ => "The F-score of the longest common subsequences of lines.",
    };

    public MetricScorer Prepare(MetricOptions options)
    {
        var stem = options.Flag("use_stemmer", false);
        return (rows, work) =>
        {
            var best = rows.Select((row, i) =>
            {
                work.Take(0, i);
                var prediction = Lines(row.Prediction, stem);
                return row.References.Select(reference => kind(prediction, Lines(reference, stem), work, i)).MaxBy(shares => shares.FScore);
            }).ToList();
            return MetricScore.Mean([.. best.Select(shares => (double?)shares.FScore)]) with
            {
                Details = new Dictionary<string, JsonElement>
                {
                    ["precision"] = MetricDetail.Of(best.Average(shares => shares.Precision)),
                    ["recall"] = MetricDetail.Of(best.Average(shares => shares.Recall)),
                },
            };
        };
    }

    private static List<string>[] Lines(string text, bool stem) => [.. text.Split('\n').Select(line => Words(line, stem))];

    /// <summary>Runs of a to z and 0 to 9; only words of four letters and more are stemmed.</summary>
    private static List<string> Words(string line, bool stem) =>
        [.. NoWord().Split(PythonText.Lower(line)).Where(word => word.Length > 0).Select(word => stem && word.Length > 3 ? PorterStemmer.Stem(word) : word)];

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NoWord();
}
