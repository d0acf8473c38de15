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

/// <summary>Asks for an import.</summary>
public sealed record ImportRequest
{
    /// <summary>
    /// <c>hf:org/name[@revision][#file.gguf]</c> of the hub, <c>https:</c> one file of the web (<c>#sha256=...</c> states its hash),
    /// <c>upload:id</c> a finished upload, <c>file:/path</c> beneath one of <c>LLMOS_IMPORT_DIRS</c>.
    /// </summary>
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

    /// <summary>For a PEFT adapter: the stored model that it is merged into, as a request would name it (<c>name</c>, <c>name:3</c>).</summary>
    [StringLength(256, MinimumLength = 1)]
    public string? Base { get; init; }
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

    /// <summary>The parent with an adapter merged into it.</summary>
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

/// <summary>A version as the API shows it.</summary>
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
/// <param name="Aliases">At most 100, `latest` among them.</param>
/// <param name="Versions">Numbers of the newest 100, the oldest first; `/versions` lists all.</param>
/// <param name="Task">The newest version's.</param>
public sealed record ModelView(
    string Name,
    IReadOnlyDictionary<string, int> Aliases,
    IReadOnlyList<int> Versions,
    string? Task,
    DateTimeOffset CreatedAt)
{
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Since when it is out of use; null for one that is used.</summary>
    public DateTimeOffset? ArchivedAt { get; init; }

    /// <summary>The version that the name alone answers with, in short; null when there is none.</summary>
    public ModelSummary? Latest { get; init; }
}

/// <summary>A version in short, for lists.</summary>
public sealed record ModelSummary(
    int Version,
    string Task,
    string Architecture,
    long Parameters,
    int ContextLength,
    string Precision,
    long Bytes,
    string? License);

/// <summary>Makes a model without versions.</summary>
public sealed record CreateModelRequest
{
    /// <summary><c>[a-z0-9][a-z0-9._-]{0,63}</c>, at most one <c>/</c>.</summary>
    [StringLength(256, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>A model card in Markdown.</summary>
    [TextLength(262_144)]
    public string? Card { get; init; }

    /// <summary>Pairs of texts to find it by.</summary>
    public IReadOnlyDictionary<string, string>? Tags { get; init; }
}

/// <summary>Changes a model; what is left out stays.</summary>
public sealed record ModelPatch
{
    /// <summary>A text sets a tag, null takes it away.</summary>
    public IReadOnlyDictionary<string, string?>? Tags { get; init; }

    /// <summary>Takes the model out of use, or back; refused while something refers to it.</summary>
    public bool? Archived { get; init; }
}

/// <summary>Changes what may change of a version; what is left out stays.</summary>
public sealed record ModelVersionPatch
{
    /// <summary>A text sets a tag, null takes it away.</summary>
    public IReadOnlyDictionary<string, string?>? Tags { get; init; }

    /// <summary>Takes the version out of use, or back; refused while something refers to it.</summary>
    public bool? Archived { get; init; }
}

/// <summary>Makes a version of another one: the same weights, under a name, with other texts beside them.</summary>
public sealed record CopyRequest
{
    /// <summary>The model that gets the new version; it is made if there is none.</summary>
    [StringLength(256, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>The alias to point at the new version; default <c>latest</c>.</summary>
    [StringLength(64)]
    public string? Alias { get; init; }

    /// <summary>Texts that the copy has instead of the original's: <c>README.md</c>, <c>LICENSE</c>, <c>chat_template.jinja</c>, <c>generation_config.json</c>.</summary>
    [TextLength(262_144)]
    public IReadOnlyDictionary<string, string>? Files { get; init; }
}

/// <summary>Points an alias at a version; <see cref="Expected"/> makes it a compare-and-set.</summary>
public sealed record AliasRequest
{
    [Range(1, int.MaxValue)]
    public required int Version { get; init; }

    /// <summary>The version the alias points at now; 409 when it does not. Null: set it whatever it is.</summary>
    [Range(1, int.MaxValue)]
    public int? Expected { get; init; }

    /// <summary>Why, for the history.</summary>
    [StringLength(500)]
    public string? Reason { get; init; }
}

/// <summary>Points an alias back at what it pointed at before.</summary>
public sealed record RollBackRequest
{
    /// <summary>The version the alias points at now; 409 when it does not. Null: roll back whatever it is.</summary>
    [Range(1, int.MaxValue)]
    public int? Expected { get; init; }

    /// <summary>Why, for the history.</summary>
    [StringLength(500)]
    public string? Reason { get; init; }
}

/// <summary>An alias after a change.</summary>
public sealed record AliasView(string Model, string Alias, int Version);

/// <summary>One move of an alias.</summary>
/// <param name="Id">Grows with each move; what to send as <c>after</c>.</param>
/// <param name="From">Null when there was no such alias.</param>
/// <param name="To">Null when it was taken away.</param>
/// <param name="By">The key that asked for it, or the job that published.</param>
public sealed record AliasChangeView(long Id, AliasChangeKind Kind, int? From, int? To, string? By, string? Reason, DateTimeOffset At);

/// <summary>What an alias points at, and how it came there, the newest move first.</summary>
/// <param name="Version">Null when the alias was taken away.</param>
public sealed record AliasHistoryView(string Model, string Alias, int? Version, IReadOnlyList<AliasChangeView> Items, string? Next);

/// <summary>Writes a model's card.</summary>
public sealed record CardRequest
{
    /// <summary>Markdown, with YAML front matter for what programs read: <c>license</c>, <c>language</c>, <c>datasets</c>, <c>metrics</c>.</summary>
    [TextLength(262_144)]
    public required string Markdown { get; init; }
}

/// <summary>What a card's front matter states.</summary>
public sealed record CardFacts(
    string? License,
    IReadOnlyList<string> Languages,
    IReadOnlyList<string> Datasets,
    IReadOnlyList<string> Metrics,
    IReadOnlyList<string> BaseModels,
    IReadOnlyList<string> Tags,
    string? Task);

/// <summary>A model card.</summary>
/// <param name="Source"><c>model</c> when it was written here, <c>name:3</c> when it is that version's README.md.</param>
/// <param name="Html">The text, safe to put into a page; null when it cannot be rendered.</param>
/// <param name="Missing">What a card should tell and this one does not: <c>license</c>, <c>languages</c>, <c>data</c>, <c>metrics</c>, <c>limits</c>.</param>
/// <param name="Problems">What could not be read.</param>
public sealed record CardView(
    string Model,
    string Source,
    string Markdown,
    string? Html,
    CardFacts Facts,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Problems);

/// <summary>Something in the history of a version.</summary>
/// <param name="Kind"><c>version</c>, <c>source</c>, <c>job</c>, <c>dataset</c> or <c>evaluation</c>.</param>
/// <param name="Known">Whether a version is stored here.</param>
/// <param name="State">Of a version that is stored here.</param>
public sealed record LineageNode(string Id, string Kind, string Name, bool Known, string? State);

/// <summary>What was made from, by or with what: <c>fine_tuned</c>, <c>quantized</c>, <c>copied</c>, ..., <c>imported</c>, <c>made</c>, <c>trained_on</c>, <c>judged</c>.</summary>
public sealed record LineageEdge(string From, string To, string Relation);

/// <summary>A version's ancestors and descendants, and what each was made with.</summary>
/// <param name="Root">The node of the version that was asked for.</param>
/// <param name="Truncated">There is more than one answer holds.</param>
public sealed record LineageGraph(string Root, IReadOnlyList<LineageNode> Nodes, IReadOnlyList<LineageEdge> Edges, bool Truncated);

/// <summary>A well-known open model that can be pulled by its name.</summary>
/// <param name="Source">What to import: <c>hf:org/name@commit</c>.</param>
/// <param name="Supported">Whether this server can serve its architecture.</param>
/// <param name="Bytes">Of its weights as they are published; tokenizer and texts are a few megabytes more.</param>
/// <param name="MemoryBytes">Of its weights in f32, as they are loaded.</param>
public sealed record CatalogueEntry(
    string Name,
    string Source,
    string Task,
    string Architecture,
    bool Supported,
    long Parameters,
    int ContextLength,
    string License,
    long Bytes,
    long MemoryBytes);
