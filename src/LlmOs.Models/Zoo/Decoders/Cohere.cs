using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Command-R (Cohere): layer norms without offsets, one a layer, from which attention and feed-forward both read; rotary
/// positions turn neighbouring components; logits are scaled. Its numbers are those of transformers' CohereForCausalLM.
/// </summary>
internal static class Cohere
{
    public static DecoderArchitecture Architecture { get; } = new("cohere", "CohereForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        Epsilon = "layer_norm_eps",
        DefaultEpsilon = 1e-5,
        DefaultContext = 8192,
        DefaultTied = true,
        Implemented = ["logit_scale", "use_qk_norm"],
    }) with
    {
        NormsHeads = json.Flag("use_qk_norm") ?? false,
        AttentionBias = json.Flag("attention_bias") ?? false,
        LogitFactor = json.Number("logit_scale") ?? 0.0625,
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
                OutputBias = config.AttentionBias,
                Interleaved = true,
                HeadNorms = config.NormsHeads ? ($"{at}.self_attn.q_norm", $"{at}.self_attn.k_norm") : null,
                HeadNorm = HeadNorm.Layer,
            };
            decoder.BeginLayer();
            var normed = decoder.LayerNorm($"{at}.input_layernorm", bias: false);
            decoder.Add(decoder.Attention(layer, normed, LlamaGraph.AttentionOf(config, at), options));
            decoder.Add(LlamaGraph.MlpOf(decoder, at, normed));
        }

        decoder.Head(decoder.LayerNorm("model.norm", bias: false), "lm_head", scale: config.LogitFactor);
    }
}
