using System.Numerics;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Bloom (arXiv 2211.05100, section 3.2): GPT-2's layers with a norm behind the embeddings, and ALiBi instead of positions: scores fall
/// with the distance, in each head by a slope of its own. Its numbers are those of transformers' BloomForCausalLM.
/// </summary>
internal static class Bloom
{
    private const string Body = "transformer.";

    public static DecoderArchitecture Architecture { get; } = new("bloom", "BloomForCausalLM", Read, Build)
    {
        Rename = name => name.StartsWith(Body, StringComparison.Ordinal) || name.StartsWith("lm_head.", StringComparison.Ordinal) ? name : Body + name,
        Ties = WeightTies.Head(Body + "word_embeddings.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        string Name(string now, string then) => json.Has(now) ? now : then;
        if (json.Flag("apply_residual_connection_post_layernorm") == true)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option apply_residual_connection_post_layernorm = true is not supported; supported: false.");
        }

        return ModelConfig.Read(json, new ConfigSpelling
        {
            Hidden = Name("hidden_size", "n_embed"),
            Layers = Name("n_layer", "num_hidden_layers"),
            Heads = Name("n_head", "num_attention_heads"),
            Intermediate = "intermediate_size", // never stated: four times the width
            DefaultExpansion = 4,
            Context = "seq_length",
            Epsilon = "layer_norm_epsilon",
            DefaultEpsilon = 1e-5,
            DefaultActivation = "gelu_new",
            DefaultTied = true,
            Rotary = false,
        });
    }

    /// <summary>Slopes of the greatest power of two within the heads; the other heads have those of the next power's odd ones.</summary>
    private static double SlopeOf(int head, int heads)
    {
        var power = 1 << BitOperations.Log2((uint)heads);
        return head < power ? Math.Pow(2, -8.0 / power * (head + 1)) : Math.Pow(2, -4.0 / power * ((2 * (head - power)) + 1));
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        var options = new AttentionOptions { Bias = true, OutputBias = true, Rotary = false, ScoreBias = RelativeBias.OfSlopes(decoder, head => SlopeOf(head, config.Heads)) };
        decoder.Embed(Body + "word_embeddings");
        decoder.Replace(decoder.LayerNorm(Body + "word_embeddings_layernorm"));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}h.{layer}";
            var weights = AttentionWeights.PackedByHead($"{at}.self_attention.query_key_value", $"{at}.self_attention.dense", config.Heads, config.HeadDim);
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.LayerNorm($"{at}.input_layernorm"), weights, options));
            decoder.Add(decoder.Mlp(decoder.LayerNorm($"{at}.post_attention_layernorm"), $"{at}.mlp.dense_h_to_4h", $"{at}.mlp.dense_4h_to_h"));
        }

        decoder.Head(decoder.LayerNorm(Body + "ln_f"), "lm_head");
    }
}
