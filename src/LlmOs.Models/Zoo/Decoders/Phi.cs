using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Phi-1, 1.5 and 2 (arXiv 2306.11644): one norm a layer, from which attention and feed-forward both read; a part of each
/// head turns. Its numbers are those of transformers' PhiForCausalLM.
/// </summary>
internal static class Phi
{
    public static DecoderArchitecture Architecture { get; } = new("phi", "PhiForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-5,
        DefaultActivation = "gelu_new",
        DefaultRotaryShare = 0.5,
        Implemented = ["partial_rotary_factor"],
    });

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var weights = AttentionWeights.Projections(config, $"{at}.self_attn", "dense");
            decoder.BeginLayer();
            var normed = decoder.LayerNorm($"{at}.input_layernorm");
            decoder.Add(decoder.Attention(layer, normed, weights, new AttentionOptions { Bias = true, OutputBias = true }));
            decoder.Add(decoder.Mlp(normed, $"{at}.mlp.fc1", $"{at}.mlp.fc2"));
        }

        decoder.Head(decoder.LayerNorm("model.final_layernorm"), "lm_head", bias: true);
    }
}
