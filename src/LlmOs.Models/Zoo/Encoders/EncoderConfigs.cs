using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>What the configurations of encoders have in common.</summary>
internal static class EncoderConfigs
{
    public static ConfigSpelling Bert { get; } = new()
    {
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-12,
        DefaultActivation = "gelu",
        DefaultContext = 512,
        DefaultTied = true,
        Rotary = false,
    };

    public static ModelConfig Read(ConfigJson json, ConfigSpelling spelling) => ModelConfig.Read(json, spelling) with
    {
        TypeVocabulary = json.Whole("type_vocab_size", 0, 1024) ?? 2,
        Labels = Labels(json),
    };

    /// <summary>The names of <c>id2label</c>; without them the published defaults for two labels.</summary>
    public static IReadOnlyList<string> Labels(ConfigJson json)
    {
        var labels = json.Numbered("id2label");
        return labels.Count > 0 ? labels : [.. Enumerable.Range(0, json.Whole("num_labels", 1, 1 << 20) ?? 2).Select(i => $"LABEL_{i}")];
    }

    /// <summary>The decoder of a masked language model: its matrix is the embedding where the configuration says so, its bias has two names.</summary>
    public static Func<ModelConfig, IReadOnlyList<IReadOnlyList<string>>> TiedTokens(string embedding, string decoder, string bias) =>
        config => config.TiedEmbeddings ? [[embedding, decoder + ".weight"], [bias, decoder + ".bias"]] : [[bias, decoder + ".bias"]];

    /// <summary>Old files call a norm's gain <c>gamma</c> and its offset <c>beta</c>.</summary>
    public static string RenameNorms(string name) =>
        name.EndsWith(".gamma", StringComparison.Ordinal) ? name[..^".gamma".Length] + ".weight"
        : name.EndsWith(".beta", StringComparison.Ordinal) ? name[..^".beta".Length] + ".bias"
        : name;
}
