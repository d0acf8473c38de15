using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// GPT-2 ("Language Models are Unsupervised Multitask Learners", section 2.3; GPT-3 is the same with more layers): learned
/// positions, layer norms, a tied head. Its numbers are those of transformers' GPT2LMHeadModel.
/// </summary>
/// <remarks>Projections are stored [in, out]. Hub files often lack the prefix <c>transformer.</c> and carry the causal mask as a buffer.</remarks>
internal static class Gpt2
{
    private const string Prefix = "transformer.";

    private static readonly string[] Turned = [".attn.c_attn.weight", ".attn.c_proj.weight", ".mlp.c_fc.weight", ".mlp.c_proj.weight"];

    public static DecoderArchitecture Architecture { get; } = new("gpt2", "GPT2LMHeadModel", Read, Build)
    {
        Rename = name => name.StartsWith(Prefix, StringComparison.Ordinal) || name == "lm_head.weight" ? name : Prefix + name,
        IsTurned = name => Array.Exists(Turned, end => name.EndsWith(end, StringComparison.Ordinal)),
        LeftOver = [".attn.bias", ".attn.masked_bias"],
        TiedHead = "lm_head.weight",
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        Hidden = "n_embd",
        Intermediate = "n_inner",
        DefaultExpansion = 4,
        Layers = "n_layer",
        Heads = "n_head",
        Context = json.Has("n_positions") ? "n_positions" : "n_ctx",
        DefaultContext = 1024,
        Epsilon = "layer_norm_epsilon",
        DefaultEpsilon = 1e-5,
        Activation = "activation_function",
        DefaultActivation = "gelu_new",
        DefaultTied = true,
        Rotary = false,
    }) with
    {
        AttentionScale = json.Flag("scale_attn_weights") == false ? 1 : null,
        ScaleByLayer = json.Flag("scale_attn_by_inverse_layer_idx") ?? false,
    };

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("transformer.wte");
        decoder.AddPositions("transformer.wpe");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"transformer.h.{layer}";
            var attention = AttentionWeights.Packed($"{at}.attn.c_attn", $"{at}.attn.c_proj", config.Heads, config.KvHeads, config.HeadDim);
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.LayerNorm($"{at}.ln_1"), attention, new AttentionOptions { Bias = true, OutputBias = true, Rotary = false }));
            decoder.Add(decoder.Mlp(decoder.LayerNorm($"{at}.ln_2"), $"{at}.mlp.c_fc", $"{at}.mlp.c_proj"));
        }

        decoder.Head(decoder.LayerNorm("transformer.ln_f"), "transformer.wte", "lm_head");
    }
}
