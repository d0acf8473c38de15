using System.Text.Json;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>A measure of texts against texts: one file, and one line in <see cref="MetricRegistry"/>.</summary>
internal interface IMetric
{
    /// <summary>The word in the route.</summary>
    string Name { get; }

    /// <summary>What it measures, in one sentence.</summary>
    string Summary { get; }

    /// <summary>Whether a row may have more than one reference.</summary>
    bool ManyReferences => true;

    /// <summary>False where a smaller score is better.</summary>
    bool HigherIsBetter => true;

    /// <summary>The score of a perfect prediction, or of a hopeless one where smaller is better: 1 or 100.</summary>
    double Scale => 1;

    /// <summary>Reads the options; what is not read here is refused. Gives what scores rows by them.</summary>
    MetricScorer Prepare(MetricOptions options);
}

/// <summary>Scores rows. Pure: the same rows give the same score.</summary>
internal delegate MetricScore MetricScorer(IReadOnlyList<MetricRow> rows, MetricWork work);

/// <summary>One prediction and what it is held against.</summary>
/// <param name="References">At least one.</param>
internal sealed record MetricRow(string Prediction, IReadOnlyList<string> References);

/// <summary>What a metric gives.</summary>
/// <param name="Score">Of all rows; null where it is not defined.</param>
/// <param name="Rows">Of each row; null where it is not defined.</param>
internal sealed record MetricScore(double? Score, IReadOnlyList<double?> Rows)
{
    /// <summary>How it was made, in sacreBLEU's words; null for metrics that have none.</summary>
    public string? Signature { get; init; }

    /// <summary>Further figures by name.</summary>
    public IReadOnlyDictionary<string, JsonElement> Details { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>The mean of the rows.</summary>
    public static MetricScore Mean(IReadOnlyList<double?> rows) => new(rows.Average(), rows);
}

/// <summary>One figure among the details.</summary>
internal static class MetricDetail
{
    public static JsonElement Of<T>(T value) => JsonSerializer.SerializeToElement(value, Contracts.LlmOsJson.Options);
}
