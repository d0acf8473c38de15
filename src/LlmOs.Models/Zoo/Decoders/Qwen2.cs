using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>Qwen 2 and 2.5 (arXiv 2407.10671, section 2.2): Llama with biases on queries, keys and values. Its numbers are those of transformers' Qwen2ForCausalLM.</summary>
internal static class Qwen2
{
    public static DecoderArchitecture Architecture { get; } = new("qwen2", "Qwen2ForCausalLM", Read, decoder => LlamaGraph.Build(decoder, new AttentionOptions { Bias = true }))
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling { DefaultContext = 32_768, Implemented = ["sliding_window", "use_sliding_window", "layer_types"] });
        return config with { Windows = WindowsOf(json, config.Layers) };
    }

    /// <summary>Only where <c>use_sliding_window</c> says so, and then from <c>max_window_layers</c> on.</summary>
    internal static IReadOnlyList<int> WindowsOf(ConfigJson json, int layers)
    {
        var window = json.Flag("use_sliding_window") == true ? LayerWindows.Width(json, "sliding_window") : null;
        var first = json.Whole("max_window_layers", 0, 4096) ?? 28;
        return LayerWindows.Read(json, layers, window, layer => window is not null && layer >= first);
    }
}
