using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// OLMo 2 (arXiv 2501.00656, section 3.2): Llama with its norms behind attention and feed-forward instead of before them,
/// and one norm over all heads of the queries and one over those of the keys. Its numbers are those of transformers' Olmo2ForCausalLM.
/// </summary>
internal static class Olmo2
{
    public static DecoderArchitecture Architecture { get; } = new("olmo2", "Olmo2ForCausalLM", Read, Build) { TiedHead = "lm_head.weight" };

    private static ModelConfig Read(ConfigJson json) =>
        ModelConfig.Read(json, new ConfigSpelling { DefaultEpsilon = 1e-5 }) with { AttentionBias = json.Flag("attention_bias") ?? false };

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
                HeadNorms = ($"{at}.self_attn.q_norm", $"{at}.self_attn.k_norm"),
                NormsSpanHeads = true,
            };
            decoder.OutputState();
            var attended = decoder.Attention(layer, decoder.State(), LlamaGraph.AttentionOf(config, at), options);
            decoder.Add(decoder.RmsNorm(attended, $"{at}.post_attention_layernorm", gainOffset: 0));
            var fed = LlamaGraph.MlpOf(decoder, at, decoder.State());
            decoder.Add(decoder.RmsNorm(fed, $"{at}.post_feedforward_layernorm", gainOffset: 0));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "model.embed_tokens", "lm_head");
    }
}
