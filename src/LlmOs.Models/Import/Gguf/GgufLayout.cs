using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LlmOs.Formats;
using LlmOs.Formats.Gguf;

namespace LlmOs.Models.Import.Gguf;

/// <summary>How one architecture of GGUF files is published: configuration, and the names of its weights.</summary>
/// <param name="Architecture">The word in <c>general.architecture</c>.</param>
/// <param name="Config">The configuration that the metadata means.</param>
internal sealed partial record GgufLayout(string Architecture, Func<GgufModel, JsonObject> Config)
{
    /// <summary>GGUF's names outside the layers, and the published ones, both without <c>.weight</c>.</summary>
    public required IReadOnlyDictionary<string, string> Outer { get; init; }

    /// <summary>The published beginning of a layer's names, in which {0} is its number.</summary>
    public required string Layer { get; init; }

    /// <summary>GGUF's names inside a layer, and the published ones; what a reorder turns into several is not here.</summary>
    public required IReadOnlyDictionary<string, string> Inner { get; init; }

    /// <summary>Changes how a named weight is stored: reordered rows, parts, an offset. Null keeps the tensor as it is.</summary>
    public Func<GgufModel, string, GgufPart, IEnumerable<GgufPart>>? Arrange { get; init; }

    /// <summary>Tables that go into the configuration, or that follow from it.</summary>
    private static readonly string[] Tables = ["rope_freqs", "rope_factors_long", "rope_factors_short"];

    /// <summary>Every published weight, and where it lies.</summary>
    /// <exception cref="ModelFormatException">A tensor has a name that this architecture does not have.</exception>
    public IEnumerable<GgufPart> Parts(GgufModel model) => model.File.Tensors.SelectMany(tensor => PartsOf(model, tensor));

    private IEnumerable<GgufPart> PartsOf(GgufModel model, GgufTensor tensor)
    {
        var match = StoredName().Match(tensor.Name);
        var (layer, part, kind) = (match.Groups["layer"].Value, match.Groups["part"].Value, match.Groups["kind"].Value);
        if (match.Success && layer.Length == 0 && Tables.Contains(part, StringComparer.Ordinal))
        {
            return [];
        }

        if (!match.Success || !(layer.Length == 0 ? Outer : Inner).TryGetValue(part, out var published))
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedArchitecture, $"{model.Metadata.File}: the architecture '{Architecture}' is not known to have a tensor '{tensor.Name}'.");
        }

        var name = layer.Length == 0 ? published : Layer.Replace("{0}", layer, StringComparison.Ordinal) + published;
        var whole = GgufPart.Whole($"{name}.{kind}", tensor);
        return Arrange?.Invoke(model, part, whole) ?? [whole];
    }

    [GeneratedRegex(@"\A(?:blk\.(?<layer>\d{1,4})\.)?(?<part>[a-z0-9_]{1,40})\.(?<kind>weight|bias)\z")]
    private static partial Regex StoredName();
}
