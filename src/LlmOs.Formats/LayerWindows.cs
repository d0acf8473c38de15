namespace LlmOs.Formats;

/// <summary>Which layers see a window of the text, and which see all of it.</summary>
public static class LayerWindows
{
    private const string Sliding = "sliding_attention";
    private const string Full = "full_attention";

    /// <summary>The window of each layer, 0 for all; empty when no layer has one.</summary>
    /// <param name="slides">Whether a layer has the window, where the file does not list <c>layer_types</c>.</param>
    public static IReadOnlyList<int> Read(ConfigJson json, int layers, int? window, Func<int, bool> slides)
    {
        var types = json.Texts("layer_types");
        if (types.Count == 0)
        {
            types = [.. Enumerable.Range(0, layers).Select(i => slides(i) ? Sliding : Full)];
        }

        if (types.Count != layers)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'layer_types' names {types.Count} layers; the model has {layers}.");
        }

        if (types.FirstOrDefault(t => t is not (Sliding or Full)) is { } unknown)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture,
                $"{json.File}: the option layer_types names '{unknown}', which is not supported; supported: {Full} and {Sliding}.");
        }

        if (!types.Contains(Sliding))
        {
            return [];
        }

        return window is { } tokens ? [.. types.Select(t => t == Sliding ? tokens : 0)] : throw json.Missing("sliding_window");
    }

    /// <summary>The window that a file states; null where it states none.</summary>
    public static int? Width(ConfigJson json, string option) => json.Whole(option, 1, ModelConfig.MaxContextLength);
}
