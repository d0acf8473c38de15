using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// StableLM 2 and 3B (arXiv 2402.17834, section 3): Llama with layer norms, of whose heads a part turns; attention and feed-forward may
/// read the same norm. Its numbers are those of transformers' StableLmForCausalLM.
/// </summary>
internal static class StableLm
{
    public static DecoderArchitecture Architecture { get; } = new("stablelm", "StableLmForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-5,
        DefaultContext = 4096,
        DefaultRotaryShare = 0.25,
        Implemented = ["partial_rotary_factor", "use_parallel_residual", "qk_layernorm"],
    }) with
    {
        NormsHeads = json.Flag("qk_layernorm") ?? false,
        AttentionBias = json.Flag("use_qkv_bias") ?? false,
        ParallelResidual = json.Flag("use_parallel_residual") ?? false,
    };

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var options = new AttentionOptions
            {
                Bias = config.AttentionBias,
                HeadNorms = config.NormsHeads ? ($"{at}.self_attn.q_layernorm", $"{at}.self_attn.k_layernorm") : null,
                HeadNorm = HeadNorm.LayerApart,
            };
            decoder.BeginLayer();
            var normed = decoder.LayerNorm($"{at}.input_layernorm");
            decoder.Add(decoder.Attention(layer, normed, LlamaGraph.AttentionOf(config, at), options));
            decoder.Add(LlamaGraph.MlpOf(decoder, at, config.ParallelResidual ? normed : decoder.LayerNorm($"{at}.post_attention_layernorm")));
        }

        decoder.Head(decoder.LayerNorm("model.norm"), "lm_head");
    }
}
