using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// GPT-NeoX and Pythia (arXiv 2204.06745, section 2): a part of each head turns, attention and feed-forward beside each other.
/// Its numbers are those of transformers' GPTNeoXForCausalLM.
/// </summary>
internal static class GptNeoX
{
    public static DecoderArchitecture Architecture { get; } = new("gpt_neox", "GPTNeoXForCausalLM", Read, Build)
    {
        LeftOver = [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("gpt_neox.embed_in.weight", "embed_out.weight"),
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-5,
        DefaultActivation = "gelu",
        DefaultRotaryShare = 0.25,
        Implemented = ["partial_rotary_factor", "rotary_pct", "use_parallel_residual"],
    }) with
    {
        AttentionBias = json.Flag("attention_bias") ?? true,
        ParallelResidual = json.Flag("use_parallel_residual") ?? true,
    };

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("gpt_neox.embed_in");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"gpt_neox.layers.{layer}";
            var weights = AttentionWeights.PackedByHead($"{at}.attention.query_key_value", $"{at}.attention.dense", config.Heads, config.HeadDim);
            decoder.BeginLayer();
            var attended = decoder.Attention(layer, decoder.LayerNorm($"{at}.input_layernorm"), weights, new AttentionOptions { Bias = config.AttentionBias, OutputBias = config.AttentionBias });
            if (!config.ParallelResidual)
            {
                decoder.Add(attended);
            }

            var fed = decoder.Mlp(decoder.LayerNorm($"{at}.post_attention_layernorm"), $"{at}.mlp.dense_h_to_4h", $"{at}.mlp.dense_4h_to_h");
            if (config.ParallelResidual)
            {
                decoder.Add(attended);
            }

            decoder.Add(fed);
        }

        decoder.Head(decoder.LayerNorm("gpt_neox.final_layer_norm"), "embed_out");
    }
}
