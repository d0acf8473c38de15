using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>Mistral (arXiv 2310.06825, section 2): Llama with attention to a window of the text. Its numbers are those of transformers' MistralForCausalLM.</summary>
internal static class Mistral
{
    public static DecoderArchitecture Architecture { get; } = new("mistral", "MistralForCausalLM", Read, decoder => LlamaGraph.Build(decoder, new AttentionOptions()))
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling { Implemented = ["sliding_window", "layer_types"] });
        var window = LayerWindows.Width(json, "sliding_window");
        return config with { Windows = LayerWindows.Read(json, config.Layers, window, _ => window is not null) };
    }
}
