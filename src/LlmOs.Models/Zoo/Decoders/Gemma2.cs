using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Gemma 2 (arXiv 2408.00118, section 2): Gemma with norms after attention and feed-forward too, capped scores and logits,
/// and windows in every other layer. Its numbers are those of transformers' Gemma2ForCausalLM.
/// </summary>
internal static class Gemma2
{
    public static DecoderArchitecture Architecture { get; } = new("gemma2", "Gemma2ForCausalLM", Read, decoder => Build(decoder, headNorms: false))
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    internal static ConfigSpelling Spelling { get; } = new()
    {
        DefaultHeadDim = 256,
        DefaultContext = 8192,
        Activation = "hidden_activation",
        DefaultActivation = "gelu_pytorch_tanh",
        DefaultTied = true,
        Implemented = ["hidden_activation", "sliding_window", "layer_types", "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar"],
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = Read(json, Spelling);
        // A file that leaves the caps out means the published ones; null switches them off.
        return config with
        {
            Windows = LayerWindows.Read(json, config.Layers, LayerWindows.Width(json, "sliding_window") ?? 4096, layer => layer % 2 == 0),
            AttentionSoftCap = json.Number("attn_logit_softcapping") ?? (json.IsStated("attn_logit_softcapping") ? 0 : 50),
            LogitSoftCap = json.Number("final_logit_softcapping") ?? (json.IsStated("final_logit_softcapping") ? 0 : 30),
        };
    }

    internal static ModelConfig Read(ConfigJson json, ConfigSpelling spelling)
    {
        var scalar = json.Number("query_pre_attn_scalar") ?? 256;
        return scalar > 0
            ? ModelConfig.Read(json, spelling) with { AttentionScale = 1 / Math.Sqrt(scalar), AttentionBias = json.Flag("attention_bias") ?? false }
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'query_pre_attn_scalar' must be above 0, not {scalar}.");
    }

    internal static void Build(DecoderWriter decoder, bool headNorms)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens", Math.Sqrt(config.Hidden));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var options = new AttentionOptions
            {
                Bias = config.AttentionBias,
                OutputBias = config.AttentionBias,
                HeadNorms = headNorms ? ($"{at}.self_attn.q_norm", $"{at}.self_attn.k_norm") : null,
                GainOffset = 1,
            };
            decoder.BeginLayer();
            var attended = decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm", gainOffset: 1), LlamaGraph.AttentionOf(config, at), options);
            decoder.Add(decoder.RmsNorm(attended, $"{at}.post_attention_layernorm", gainOffset: 1));
            var fed = LlamaGraph.MlpOf(decoder, at, decoder.RmsNorm($"{at}.pre_feedforward_layernorm", gainOffset: 1));
            decoder.Add(decoder.RmsNorm(fed, $"{at}.post_feedforward_layernorm", gainOffset: 1));
        }

        decoder.Head(decoder.RmsNorm("model.norm", gainOffset: 1), "lm_head");
    }
}
