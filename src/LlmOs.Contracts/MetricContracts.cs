using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>Texts to score against references.</summary>
public sealed record MetricRequest
{
    /// <summary>The texts, one a row.</summary>
    [Length(1, 10_000)]
    public required IReadOnlyList<string> Predictions { get; init; }

    /// <summary>For each row its references, at least one.</summary>
    [Length(1, 10_000)]
    public required IReadOnlyList<IReadOnlyList<string>> References { get; init; }

    /// <summary>What the metric offers, by name; <c>GET /api/v1/metrics</c> lists it with the defaults.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Options { get; init; }
}

/// <summary>What a metric made of the rows.</summary>
/// <param name="Score">Of all rows: 0 to 100 for BLEU, chrF and TER, else a fraction; null where it is not defined.</param>
/// <param name="Signature">How it was made, as sacreBLEU writes it; null for metrics that have none.</param>
/// <param name="Scores">Of each row; null where it is not defined.</param>
/// <param name="Details">Further figures of the metric, by name.</param>
public sealed record MetricReply(string Metric, double? Score, string? Signature, IReadOnlyList<double?> Scores, IReadOnlyDictionary<string, JsonElement> Details);

/// <summary>A metric that there is.</summary>
/// <param name="Description">What it measures.</param>
/// <param name="Scale">1 or 100: the score of a perfect prediction, or, where smaller is better, of one that is all wrong.</param>
/// <param name="ManyReferences">Whether a row may have more than one reference.</param>
public sealed record MetricView(string Name, string Description, double Scale, bool HigherIsBetter, bool ManyReferences, IReadOnlyList<MetricOptionView> Options);

/// <summary>An option of a metric.</summary>
/// <param name="Default">Null where the metric decides.</param>
public sealed record MetricOptionView(string Name, JsonElement Default);
