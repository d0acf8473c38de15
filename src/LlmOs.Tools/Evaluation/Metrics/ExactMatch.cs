namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Whether a prediction equals one of its references.</summary>
internal sealed class ExactMatch : IMetric
{
    public string Name => "exact_match";

    public string Summary => "The share of predictions that equal a reference of their row.";

    public MetricScorer Prepare(MetricOptions options)
    {
        var read = options.Flag("normalize", false) ? SquadText.Normalize : (Func<string, string>)(text => text);
        return (rows, _) => MetricScore.Mean([.. rows.Select(row =>
        {
            var prediction = read(row.Prediction);
            return (double?)(row.References.Any(reference => read(reference) == prediction) ? 1 : 0);
        })]);
    }
}
