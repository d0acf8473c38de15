using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>
/// Llama: "LLaMA" (arXiv 2302.13971, section 2.2) with grouped queries and the rotary scalings of <see cref="RopeType"/>;
/// SmolLM and many others are published as it. Its numbers are those of transformers' LlamaForCausalLM.
/// </summary>
public static class LlamaGraph
{
    internal static DecoderArchitecture Architecture { get; } = new("llama", "LlamaForCausalLM", ModelConfig.Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        TiedHead = LlamaWeights.Head,
    };

    /// <summary>What the engine must know of the graph that <see cref="Write"/> makes.</summary>
    public static DecoderShape ShapeOf(ModelConfig config) => DecoderArchitecture.ShapeOf(config);

    /// <summary>Writes <c>model.onnx</c> and <c>weights.bin</c> in f32.</summary>
    /// <param name="folder">An existing folder without these files.</param>
    /// <exception cref="ModelFormatException">The weights do not fit the configuration.</exception>
    public static ServingGraph Write(ModelConfig config, IWeightSource weights, string folder, CancellationToken cancel) =>
        Architecture.WriteGraph(config, weights, WeightPrecision.F32, folder, cancel);

    /// <summary>The decoder of this layout; others are published in it with other options.</summary>
    internal static void Build(DecoderWriter decoder, AttentionOptions attention)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), AttentionOf(config, at), attention));
            decoder.Add(MlpOf(decoder, at, decoder.RmsNorm($"{at}.post_attention_layernorm")));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "model.embed_tokens", "lm_head");
    }

    internal static AttentionWeights AttentionOf(ModelConfig config, string at) => AttentionWeights.Separate(
        $"{at}.self_attn.q_proj", $"{at}.self_attn.k_proj", $"{at}.self_attn.v_proj", $"{at}.self_attn.o_proj", config.Heads, config.KvHeads, config.HeadDim);

    internal static string MlpOf(DecoderWriter decoder, string at, string x) =>
        decoder.GatedMlp(x, $"{at}.mlp.gate_proj", $"{at}.mlp.up_proj", $"{at}.mlp.down_proj", bias: decoder.Config.MlpBias);

    private static void Build(DecoderWriter decoder) =>
        Build(decoder, new AttentionOptions { Bias = decoder.Config.AttentionBias, OutputBias = decoder.Config.AttentionBias });
}
