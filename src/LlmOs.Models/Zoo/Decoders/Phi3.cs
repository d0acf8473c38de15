using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Phi-3, 3.5 and 4 (arXiv 2404.14219): the Llama layout with queries, keys and values in one matrix, gate and up in another,
/// and longrope. Its numbers are those of transformers' Phi3ForCausalLM.
/// </summary>
internal static class Phi3
{
    public static DecoderArchitecture Architecture { get; } = new("phi3", "Phi3ForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling { DefaultEpsilon = 1e-5, Implemented = ["partial_rotary_factor", "sliding_window", "layer_types"] });
        var window = LayerWindows.Width(json, "sliding_window");
        return config with { Windows = LayerWindows.Read(json, config.Layers, window, _ => window is not null) };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var weights = AttentionWeights.Packed($"{at}.self_attn.qkv_proj", $"{at}.self_attn.o_proj", config.Heads, config.KvHeads, config.HeadDim);
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), weights, new AttentionOptions()));
            var normed = decoder.RmsNorm($"{at}.post_attention_layernorm");
            decoder.Add(decoder.GatedMlp(normed, "", "", $"{at}.mlp.down_proj", gateUp: $"{at}.mlp.gate_up_proj"));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }
}
