using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// Gemma (arXiv 2403.08295, section 2): Llama with a gated GELU, gains stored as their distance from one, and embeddings
/// scaled by the root of the width. Its numbers are those of transformers' GemmaForCausalLM.
/// </summary>
internal static class Gemma
{
    public static DecoderArchitecture Architecture { get; } = new("gemma", "GemmaForCausalLM", Read, Build)
    {
        LeftOver = [".rotary_emb.inv_freq"],
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
    };

    private static ModelConfig Read(ConfigJson json) => ModelConfig.Read(json, new ConfigSpelling
    {
        DefaultHeadDim = 256,
        DefaultContext = 8192,
        DefaultActivation = "gelu_pytorch_tanh",
        DefaultTied = true,
        Implemented = ["hidden_activation"],
    }) with
    {
        // The first files say "gelu" and mean its tanh form, which is what the model was trained with.
        Activation = Activations.Read(json, "hidden_activation", "gelu_pytorch_tanh"),
        AttentionBias = json.Flag("attention_bias") ?? false,
    };

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        var options = new AttentionOptions { Bias = config.AttentionBias, OutputBias = config.AttentionBias };
        decoder.Embed("model.embed_tokens", Math.Sqrt(config.Hidden));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm", gainOffset: 1), LlamaGraph.AttentionOf(config, at), options));
            decoder.Add(LlamaGraph.MlpOf(decoder, at, decoder.RmsNorm($"{at}.post_attention_layernorm", gainOffset: 1)));
        }

        decoder.Head(decoder.RmsNorm("model.norm", gainOffset: 1), "lm_head");
    }
}
