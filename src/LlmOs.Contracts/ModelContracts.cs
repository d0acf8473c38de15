using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>State of a model version.</summary>
public enum ModelVersionState
{
    Importing,
    Ready,
    Failed,
    Archived,
}

/// <summary>Asks for an import (CONTRACT, section 2).</summary>
public sealed record ImportRequest
{
    /// <summary><c>file:/path</c>: a folder in Hugging Face layout beneath one of <c>LLMOS_IMPORT_DIRS</c>.</summary>
    [StringLength(4096, MinimumLength = 1)]
    public required string Source { get; init; }

    /// <summary>The name to store it under: <c>[a-z0-9][a-z0-9._-]{0,63}</c>, at most one <c>/</c>.</summary>
    [StringLength(256, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary><c>f32</c> (default).</summary>
    [StringLength(32)]
    public string? Precision { get; init; }

    /// <summary>The pipeline task; null lets the model's configuration decide.</summary>
    [StringLength(64)]
    public string? Task { get; init; }

    /// <summary>The alias to point at the new version; default <c>latest</c>.</summary>
    [StringLength(64)]
    public string? Alias { get; init; }
}

/// <summary>One file of a version.</summary>
public sealed record ModelFileView(string Path, string Sha256, long Bytes);

/// <summary>How near the trained weights and the served graph are: the largest difference of logits over the prompts.</summary>
public sealed record ParityView(int Prompts, double MaxAbsDiff, bool? TemplateEqual);

/// <summary>How a version was made from its parent.</summary>
public enum LineageRelation
{
    /// <summary>Trained further.</summary>
    FineTuned,

    /// <summary>An adapter, which is served on top of the parent.</summary>
    Adapter,
    Quantized,
    Pruned,

    /// <summary>Taught by it.</summary>
    Distilled,

    /// <summary>The same weights under another name, or with other texts beside them.</summary>
    Copied,
}

/// <summary>What moved an alias.</summary>
public enum AliasChangeKind
{
    Set,
    RolledBack,
    Deleted,
}

/// <summary>Where a version came from.</summary>
/// <param name="Parent">The version it was made from, <c>name:3</c>; it need not be stored here.</param>
/// <param name="Job">The job that made it.</param>
/// <param name="Datasets">What it was trained on.</param>
public sealed record LineageView(string? Parent, string? Job, IReadOnlyList<string> Datasets)
{
    /// <summary>How it was made from the parent.</summary>
    public LineageRelation? Relation { get; init; }

    /// <summary>Where the files came from, with the revision that was read: <c>hf:org/name@commit</c>.</summary>
    public string? Source { get; init; }
}

/// <summary>A version as the API shows it (CONTRACT, section 2).</summary>
public sealed record ModelVersionView(
    string Model,
    int Version,
    ModelVersionState State,
    string Task,
    string Architecture,
    long Parameters,
    int ContextLength,
    int Vocabulary,
    string Precision,
    long Bytes,
    string? License,
    IReadOnlyList<ModelFileView> Files,
    ParityView? Parity,
    LineageView Lineage,
    IReadOnlyList<JsonElement> Metrics,
    IReadOnlyDictionary<string, string> Tags,
    DateTimeOffset CreatedAt);

/// <summary>A model with its aliases and versions.</summary>
public sealed record ModelView(
    string Name,
    IReadOnlyDictionary<string, int> Aliases,
    IReadOnlyList<int> Versions,
    string? Task,
    DateTimeOffset CreatedAt);

/// <summary>Points an alias at a version; <see cref="Expected"/> makes it a compare-and-set.</summary>
public sealed record AliasRequest
{
    [Range(1, int.MaxValue)]
    public required int Version { get; init; }

    /// <summary>The version the alias points at now; 409 when it does not. Null: set it whatever it is.</summary>
    [Range(1, int.MaxValue)]
    public int? Expected { get; init; }
}

/// <summary>An alias after a change.</summary>
public sealed record AliasView(string Model, string Alias, int Version);
