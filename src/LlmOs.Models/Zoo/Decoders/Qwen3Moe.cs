using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>Qwen 3 with a mixture of experts (arXiv 2505.09388, section 2). Its numbers are those of transformers' Qwen3MoeForCausalLM.</summary>
internal static class Qwen3Moe
{
    public static DecoderArchitecture Architecture { get; } = new("qwen3_moe", "Qwen3MoeForCausalLM", Read, Build) { Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight") };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, Qwen3.Spelling with { DefaultHeadDim = null, Implemented = [.. Qwen3.Spelling.Implemented, "num_experts", "num_local_experts"] });
        var count = json.Whole("num_experts", 1, 4096) ?? json.Whole("num_local_experts", 1, 4096) ?? throw json.Missing("num_experts");
        var sparseStep = json.Whole("decoder_sparse_step", 1, 4096) ?? 1;
        var dense = json.Ids("mlp_only_layers");
        return config with
        {
            Windows = Qwen2.WindowsOf(json, config.Layers),
            AttentionBias = json.Flag("attention_bias") ?? false,
            Experts = new ExpertsConfig(
                count,
                json.Whole("num_experts_per_tok", 1, count) ?? Math.Min(8, count),
                json.Whole("moe_intermediate_size", 1, 1 << 18) ?? throw json.Missing("moe_intermediate_size"),
                json.Flag("norm_topk_prob") ?? false)
            {
                DenseLayers = [.. Enumerable.Range(0, config.Layers).Where(i => dense.Contains(i) || (i + 1) % sparseStep != 0)],
            },
        };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), LlamaGraph.AttentionOf(config, at), Qwen3.Options(config, at)));
            var normed = decoder.RmsNorm($"{at}.post_attention_layernorm");
            decoder.Add(config.Experts!.DenseLayers.Contains(layer)
                ? LlamaGraph.MlpOf(decoder, at, normed)
                : ExpertsBlock.Write(decoder, normed, $"{at}.mlp.gate", i => ($"{at}.mlp.experts.{i}.gate_proj", $"{at}.mlp.experts.{i}.up_proj", $"{at}.mlp.experts.{i}.down_proj")));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }
}
