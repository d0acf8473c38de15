using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Granite 3 (IBM): Llama whose embeddings, blocks, scores and logits are multiplied by numbers of the configuration. Its numbers
/// are those of transformers' GraniteForCausalLM.
/// </summary>
internal static class Granite
{
    public static DecoderArchitecture Architecture { get; } = new("granite", "GraniteForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling { Implemented = ["embedding_multiplier", "residual_multiplier", "attention_multiplier", "logits_scaling"] });
        var divisor = json.Number("logits_scaling") ?? 1;
        return divisor == 0
            ? throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'logits_scaling' must not be 0.")
            : config with
            {
                AttentionBias = json.Flag("attention_bias") ?? false,
                MlpBias = json.Flag("mlp_bias") ?? false,
                AttentionScale = json.Number("attention_multiplier") ?? 1,
                EmbeddingFactor = json.Number("embedding_multiplier") ?? 1,
                BlockFactor = json.Number("residual_multiplier") ?? 1,
                LogitFactor = 1 / divisor,
            };
    }

    private static void Build(DecoderWriter decoder)
    {
        var (config, writer) = (decoder.Config, decoder.Writer);
        var options = new AttentionOptions { Bias = config.AttentionBias, OutputBias = config.AttentionBias };
        decoder.Embed("model.embed_tokens", config.EmbeddingFactor);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            var attended = decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), LlamaGraph.AttentionOf(config, at), options);
            decoder.Add(writer.Scale(attended, config.BlockFactor));
            decoder.Add(writer.Scale(LlamaGraph.MlpOf(decoder, at, decoder.RmsNorm($"{at}.post_attention_layernorm")), config.BlockFactor));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head", scale: config.LogitFactor);
    }
}
