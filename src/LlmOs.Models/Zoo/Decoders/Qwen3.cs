using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>Qwen 3 (arXiv 2505.09388, section 2): Llama with a norm on each query and key head. Its numbers are those of transformers' Qwen3ForCausalLM.</summary>
internal static class Qwen3
{
    public static DecoderArchitecture Architecture { get; } = new("qwen3", "Qwen3ForCausalLM", Read, Build) { Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight") };

    internal static ConfigSpelling Spelling { get; } = new()
    {
        DefaultHeadDim = 128,
        DefaultContext = 32_768,
        Implemented = ["sliding_window", "use_sliding_window", "layer_types"],
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, Spelling);
        return config with { Windows = Qwen2.WindowsOf(json, config.Layers), AttentionBias = json.Flag("attention_bias") ?? false };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), LlamaGraph.AttentionOf(config, at), Options(config, at)));
            decoder.Add(LlamaGraph.MlpOf(decoder, at, decoder.RmsNorm($"{at}.post_attention_layernorm")));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }

    internal static AttentionOptions Options(ModelConfig config, string at) => new()
    {
        Bias = config.AttentionBias,
        OutputBias = config.AttentionBias,
        HeadNorms = ($"{at}.self_attn.q_norm", $"{at}.self_attn.k_norm"),
    };
}
