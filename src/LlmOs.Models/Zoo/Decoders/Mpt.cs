using System.Numerics;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// MPT (MosaicML): no offsets anywhere, and ALiBi instead of positions, with slopes in an order of its own. Its numbers are those of
/// transformers' MptForCausalLM, which files of before it was part of transformers call MPTForCausalLM.
/// </summary>
internal static class Mpt
{
    private const string Body = "transformer.";

    public static IReadOnlyList<Architecture> Architectures { get; } = [Make("MptForCausalLM"), Make("MPTForCausalLM")];

    private static DecoderArchitecture Make(string className) => new("mpt", className, Read, Build) { Ties = WeightTies.Head(Body + "wte.weight", "lm_head.weight") };

    private static ModelConfig Read(ConfigJson json)
    {
        Allow(json, json, ("no_bias", "true"), ("logit_scale", null), ("expansion_ratio", "4"));
        var attention = json.Section("attn_config");
        if (attention is not null)
        {
            Allow(json, attention, ("alibi", "true"), ("alibi_bias_max", "8"), ("clip_qkv", null), ("qk_ln", "false"), ("prefix_lm", "false"), ("attn_uses_sequence_id", "false"), ("attn_type", "\"multihead_attention\""));
        }

        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            Hidden = "d_model",
            Layers = "n_layers",
            Heads = "n_heads",
            Intermediate = "intermediate_size", // never stated: four times the width
            DefaultExpansion = 4,
            Context = "max_seq_len",
            Epsilon = "layer_norm_epsilon",
            DefaultEpsilon = 1e-5,
            DefaultActivation = "gelu",
            DefaultTied = true,
            Rotary = false,
            Implemented = ["logit_scale"], // only null is let through above
        });
        return config with { AttentionScale = attention?.Number("softmax_scale") };
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        var options = new AttentionOptions { Rotary = false, ScoreBias = RelativeBias.OfSlopes(decoder, head => SlopeOf(head, config.Heads)) };
        decoder.Embed(Body + "wte");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}blocks.{layer}";
            var weights = AttentionWeights.Packed($"{at}.attn.Wqkv", $"{at}.attn.out_proj", config.Heads, config.KvHeads, config.HeadDim);
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.LayerNorm($"{at}.norm_1", bias: false), weights, options));
            decoder.Add(decoder.Mlp(decoder.LayerNorm($"{at}.norm_2", bias: false), $"{at}.ffn.up_proj", $"{at}.ffn.down_proj", bias: false));
        }

        decoder.Head(decoder.LayerNorm(Body + "norm_f", bias: false), "lm_head");
    }

    /// <summary>The slopes of the next power of two, every second one first where that is not the number of heads.</summary>
    private static double SlopeOf(int head, int heads)
    {
        var power = (int)BitOperations.RoundUpToPowerOf2((uint)heads);
        var place = power == heads ? head : head < power / 2 ? (2 * head) + 1 : 2 * (head - (power / 2));
        return Math.Pow(2, -8.0 / power * (place + 1));
    }

    /// <summary>Refuses options that are stated with another value.</summary>
    private static void Allow(ConfigJson json, ConfigJson section, params (string Option, string? Value)[] options)
    {
        foreach (var (option, value) in options)
        {
            if (section.RawText(option) is { } stated && stated != value)
            {
                throw new ModelFormatException(
                    ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option {section.NameOf(option)} = {stated} is not supported; supported: {value ?? "leaving it out"}.");
            }
        }
    }
}
