using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Bundles;

/// <summary>
/// What a bundle says of itself. Files, hashes and lengths are checked against the bytes; what the files tell themselves
/// (architecture, parameters, licence) is read from them at import, not taken from here.
/// </summary>
/// <remarks>docs/adr/0143-a-bundle-is-a-manifest-and-bytes.md</remarks>
internal sealed partial record BundleManifest
{
    public const string Extension = "llmos";

    /// <summary>The first bytes of a bundle; the digit is the version of the format.</summary>
    public static ReadOnlySpan<byte> Magic => "LLMOSBN1"u8;

    /// <summary>Bytes of the manifest's JSON.</summary>
    public const int MaxBytes = 16 << 20;

    public const int MaxFiles = 10_000;

    public required string Model { get; init; }

    public required int Version { get; init; }

    public required string Precision { get; init; }

    /// <summary>Of the model, where it has one that is not a file of the version.</summary>
    public string? Card { get; init; }

    public required LineageView Lineage { get; init; }

    /// <summary>Ancestors and origins as they were known where the bundle was written.</summary>
    public LineageGraph? Graph { get; init; }

    public ParityView? Parity { get; init; }

    public IReadOnlyList<JsonElement> Metrics { get; init; } = [];

    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>In the order of their bytes.</summary>
    public required IReadOnlyList<ModelFileView> Files { get; init; }

    public static BundleManifest Of(ModelVersion version, string? card, LineageGraph graph)
    {
        var view = version.ToView();
        return new BundleManifest
        {
            Model = view.Model,
            Version = view.Version,
            Precision = view.Precision,
            Card = card,
            Lineage = view.Lineage,
            Graph = graph,
            Parity = view.Parity,
            Metrics = view.Metrics,
            Tags = view.Tags,
            Files = view.Files,
        };
    }

    /// <exception cref="LlmOsException">It is no manifest, or states what cannot be.</exception>
    public static BundleManifest Parse(ReadOnlySpan<byte> json)
    {
        BundleManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BundleManifest>(json, Strict) ?? throw new JsonException("null");
        }
        catch (Exception fault) when (fault is JsonException or NotSupportedException)
        {
            throw Corrupt("its manifest is not the JSON of a manifest", fault);
        }

        return manifest.Check();
    }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, LlmOsJson.Options);

    internal static LlmOsException Corrupt(string what, Exception? cause = null) =>
        cause is null
            ? new LlmOsException(ErrorCode.CorruptFile, $"The bundle cannot be read: {what}.")
            : new LlmOsException(ErrorCode.CorruptFile, $"The bundle cannot be read: {what}.", cause);

    private static readonly JsonSerializerOptions Strict = new(LlmOsJson.Options) { RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true };

    private BundleManifest Check()
    {
        if (Files.Count is 0 or > MaxFiles)
        {
            throw Corrupt($"it lists {Files.Count} files; expected 1 to {MaxFiles}");
        }

        var paths = new HashSet<string>(StringComparer.OrdinalIgnoreCase); // some disks do not tell capitals
        foreach (var file in Files)
        {
            if (file is null || file.Path is null || !LayoutPath().IsMatch(file.Path) || file.Path.Contains("..", StringComparison.Ordinal))
            {
                throw Corrupt($"'{ModelName.Shorten(file?.Path ?? "")}' is not the path of a file in a model");
            }

            if (!paths.Add(file.Path))
            {
                throw Corrupt($"it lists '{file.Path}' twice");
            }

            if (file.Sha256 is null || !ArtifactStore.IsHash(file.Sha256) || file.Bytes is < 0 or > 1L << 46)
            {
                throw Corrupt($"length or hash of '{file.Path}' is none");
            }
        }

        try
        {
            ModelTags.Check(Tags, "tags");
        }
        catch (LlmOsException refusal)
        {
            throw Corrupt(refusal.Message, refusal);
        }

        return Card is { Length: > Registry.Cards.ModelCards.MaxCharacters } || Lineage.Parent is { Length: > 320 } || Lineage.Source is { Length: > 4000 }
            ? throw Corrupt("its card or lineage is longer than any")
            : this;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,120}(/[A-Za-z0-9_][A-Za-z0-9._-]{0,120}){0,3}\z")]
    private static partial Regex LayoutPath();
}
