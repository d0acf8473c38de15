using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>Asks what a version takes in memory.</summary>
public sealed record EstimateRequest
{
    /// <summary>Tokens of a sequence, prompt and reply together; null takes what the server is set to.</summary>
    [Range(1, 1 << 24)]
    public int? Context { get; init; }

    /// <summary>Sequences that decode together; null takes what the server is set to.</summary>
    [Range(1, 256)]
    public int? Slots { get; init; }
}

/// <summary>Asks what a source would take in memory.</summary>
public sealed record SourceEstimateRequest
{
    /// <summary>As for an import: a folder or a GGUF file.</summary>
    [StringLength(4096, MinimumLength = 1)]
    public required string Source { get; init; }

    /// <summary>Tokens of a sequence, prompt and reply together; null takes what the server is set to.</summary>
    [Range(1, 1 << 24)]
    public int? Context { get; init; }

    /// <summary>Sequences that decode together; null takes what the server is set to.</summary>
    [Range(1, 256)]
    public int? Slots { get; init; }
}

/// <summary>Memory in bytes at each precision.</summary>
/// <param name="Have">What all loaded models together may take.</param>
public sealed record EstimateReply(
    string Architecture,
    long Parameters,
    int Context,
    int Slots,
    long Have,
    IReadOnlyList<PrecisionEstimate> Precisions);

/// <summary>Memory in bytes at one precision.</summary>
/// <param name="Cache">Keys and values of all slots.</param>
/// <param name="Activations">Intermediate values and logits of a step.</param>
/// <param name="Fits">Whether the need is no more than what there is.</param>
public sealed record PrecisionEstimate(string Precision, long Weights, long Cache, long Activations, long Need, bool Fits);
