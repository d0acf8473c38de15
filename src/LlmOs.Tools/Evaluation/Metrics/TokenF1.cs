namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Words that prediction and reference share, as SQuAD counts them; the best reference counts.</summary>
internal sealed class TokenF1 : IMetric
{
    public string Name => "token_f1";

    public string Summary => "The F1 of the words that prediction and reference share, averaged over rows; the best reference of a row counts.";

    public MetricScorer Prepare(MetricOptions options)
    {
        var read = options.Flag("normalize", true) ? SquadText.Normalize : (Func<string, string>)(text => text);
        return (rows, _) => MetricScore.Mean([.. rows.Select(row =>
        {
            var prediction = PythonText.Split(read(row.Prediction));
            return (double?)row.References.Max(reference => Of(prediction, PythonText.Split(read(reference))));
        })]);
    }

    private static double Of(List<string> prediction, List<string> reference)
    {
        if (prediction.Count == 0 || reference.Count == 0)
        {
            return prediction.Count == reference.Count ? 1 : 0;
        }

        var left = new Dictionary<string, int>(StringComparer.Ordinal);
        reference.ForEach(word => left[word] = left.GetValueOrDefault(word) + 1);
        var same = prediction.Count(word => left.TryGetValue(word, out var count) && (left[word] = count - 1) >= 0);
        return 2.0 * same / (prediction.Count + reference.Count);
    }
}
