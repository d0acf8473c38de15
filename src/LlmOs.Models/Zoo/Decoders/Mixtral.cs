using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>Mixtral (arXiv 2401.04088): Mistral with a mixture of experts. Its numbers are those of transformers' MixtralForCausalLM.</summary>
internal static class Mixtral
{
    public static DecoderArchitecture Architecture { get; } = new("mixtral", "MixtralForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling { DefaultEpsilon = 1e-5, Implemented = ["sliding_window", "layer_types", "num_local_experts"] });
        var window = LayerWindows.Width(json, "sliding_window");
        var count = json.Whole("num_local_experts", 1, 4096) ?? 8;
        return config with
        {
            Windows = LayerWindows.Read(json, config.Layers, window, _ => window is not null),
            Experts = new ExpertsConfig(count, json.Whole("num_experts_per_tok", 1, count) ?? 2, config.Intermediate, Normalise: true),
        };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var moe = $"{at}.block_sparse_moe";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), LlamaGraph.AttentionOf(config, at), new AttentionOptions()));
            decoder.Add(ExpertsBlock.Write(
                decoder, decoder.RmsNorm($"{at}.post_attention_layernorm"), $"{moe}.gate", i => ($"{moe}.experts.{i}.w1", $"{moe}.experts.{i}.w3", $"{moe}.experts.{i}.w2")));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }
}
