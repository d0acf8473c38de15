using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Falcon (arXiv 2311.16867, section 4): queries, keys and values in one matrix, group by group; attention and feed-forward read the
/// same norm, or one each. Its numbers are those of transformers' FalconForCausalLM.
/// </summary>
internal static class Falcon
{
    public static DecoderArchitecture Architecture { get; } = new("falcon", "FalconForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("transformer.word_embeddings.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        // Old files spell the sizes as Bloom does.
        string Name(string now, string then) => json.Has(now) ? now : then;
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Hidden = Name("hidden_size", "n_embed"),
            Layers = Name("num_hidden_layers", "n_layer"),
            Heads = Name("num_attention_heads", "n_head"),
            KvHeads = Name("num_kv_heads", "n_head_kv"),
            Intermediate = "ffn_hidden_size",
            DefaultExpansion = 4,
            Epsilon = "layer_norm_epsilon",
            DefaultEpsilon = 1e-5,
            Activation = "activation",
            DefaultActivation = "gelu",
            DefaultTied = true,
            Implemented = ["parallel_attn"],
        });
        var (grouped, parallel) = (json.Flag("new_decoder_architecture") ?? false, json.Flag("parallel_attn") ?? true);
        if (grouped && !parallel)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option parallel_attn = false with new_decoder_architecture is not supported; supported: true.");
        }

        return config with
        {
            KvHeads = grouped ? config.KvHeads : json.Flag("multi_query") ?? true ? 1 : config.Heads,
            AttentionBias = json.Flag("bias") ?? false,
            MlpBias = json.Flag("bias") ?? false,
            ParallelResidual = parallel,
            SeparateNorms = grouped && (json.Whole("num_ln_in_parallel_attn", 1, 2) ?? 2) == 2,
        };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        var options = new AttentionOptions { Bias = config.AttentionBias, OutputBias = config.AttentionBias };
        decoder.Embed("transformer.word_embeddings");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"transformer.h.{layer}";
            var weights = AttentionWeights.PackedByGroup($"{at}.self_attention.query_key_value", $"{at}.self_attention.dense", config.Heads, config.KvHeads, config.HeadDim);
            decoder.BeginLayer();
            var normed = decoder.LayerNorm(config.SeparateNorms ? $"{at}.ln_attn" : $"{at}.input_layernorm");
            // Both norms of a layer read the state before attention is added to it.
            var own = config.SeparateNorms ? decoder.LayerNorm($"{at}.ln_mlp") : normed;
            decoder.Add(decoder.Attention(layer, normed, weights, options));
            var fed = config.ParallelResidual ? own : decoder.LayerNorm($"{at}.post_attention_layernorm");
            decoder.Add(decoder.Mlp(fed, $"{at}.mlp.dense_h_to_4h", $"{at}.mlp.dense_4h_to_h", config.MlpBias));
        }

        decoder.Head(decoder.LayerNorm("transformer.ln_f"), "lm_head");
    }
}
