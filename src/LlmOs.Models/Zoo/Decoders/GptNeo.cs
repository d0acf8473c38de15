using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// GPT-Neo (EleutherAI, 2021): GPT-2 with attention to a window of the text in every other layer, and scores that are not
/// scaled. Its numbers are those of transformers' GPTNeoForCausalLM.
/// </summary>
internal static class GptNeo
{
    public static DecoderArchitecture Architecture { get; } = new("gpt_neo", "GPTNeoForCausalLM", Read, Build)
    {
        LeftOver = [".attn.attention.bias", ".attn.attention.masked_bias"],
        Ties = WeightTies.Head("transformer.wte.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json)
    {
        var config = ModelConfig.Read(json, new ConfigSpelling
        {
            DefaultExpansion = 4,
            Layers = "num_layers",
            Heads = "num_heads",
            Epsilon = "layer_norm_epsilon",
            DefaultEpsilon = 1e-5,
            Activation = "activation_function",
            DefaultActivation = "gelu_new",
            DefaultTied = true,
            Rotary = false,
        });
        return config with { AttentionScale = 1, Windows = Windows(json, config.Layers) };
    }

    /// <summary><c>attention_types</c> is a list of [kinds, repetitions]; newer files spell it out in <c>attention_layers</c>.</summary>
    private static IReadOnlyList<int> Windows(ConfigJson json, int layers)
    {
        var kinds = json.Texts("attention_layers");
        if (kinds.Count == 0)
        {
            kinds = [.. json.Repeated("attention_types")];
        }

        if (kinds.Count == 0)
        {
            kinds = [.. Enumerable.Range(0, layers).Select(i => i % 2 == 0 ? "global" : "local")];
        }

        if (kinds.Count != layers || kinds.Any(k => k is not ("global" or "local")))
        {
            throw new ModelFormatException(
                ModelFormatProblem.CorruptFile, $"{json.File}: 'attention_types' must name 'global' or 'local' for each of the {layers} layers.");
        }

        var window = LayerWindows.Width(json, "window_size") ?? 256;
        return kinds.Contains("local") ? [.. kinds.Select(k => k == "local" ? window : 0)] : [];
    }

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("transformer.wte");
        decoder.AddPositions("transformer.wpe");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"transformer.h.{layer}";
            var attention = AttentionWeights.Projections(config, $"{at}.attn.attention", "out_proj");
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.LayerNorm($"{at}.ln_1"), attention, new AttentionOptions { OutputBias = true, Rotary = false }));
            decoder.Add(decoder.Mlp(decoder.LayerNorm($"{at}.ln_2"), $"{at}.mlp.c_fc", $"{at}.mlp.c_proj"));
        }

        decoder.Head(decoder.LayerNorm("transformer.ln_f"), "lm_head");
    }
}
