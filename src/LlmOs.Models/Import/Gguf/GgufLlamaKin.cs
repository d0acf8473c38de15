using System.Text.Json.Nodes;
using LlmOs.Formats;

namespace LlmOs.Models.Import.Gguf;

/// <summary>Architectures of GGUF files that are Llama with something added or moved: OLMo 2, SmolLM3, Granite.</summary>
internal static class GgufLlamaKin
{
    private const string Layer = "model.layers.{0}.";

    public static IReadOnlyList<GgufLayout> All { get; } =
    [
        new("olmo2", Olmo2)
        {
            Outer = LlamaNames.Outer,
            Layer = Layer,
            Inner = new Dictionary<string, string>(LlamaNames.Inner) { ["post_attention_norm"] = "post_attention_layernorm", ["post_ffw_norm"] = "post_feedforward_layernorm" },
        },
        new("smollm3", SmolLm3) { Outer = LlamaNames.Outer, Layer = Layer, Inner = LlamaNames.Inner, Arrange = PairsApart },
        new("granite", Granite) { Outer = LlamaNames.Outer, Layer = Layer, Inner = LlamaNames.Inner, Arrange = PairsApart },
    ];

    private static IEnumerable<GgufPart> PairsApart(GgufModel model, string part, GgufPart whole) =>
        [part is "attn_q" or "attn_k" ? whole with { RowOf = RowOrders.PairsApart(model.HeadDim) } : whole];

    private static JsonObject Olmo2(GgufModel model)
    {
        var config = model.RotaryConfig("olmo2", "Olmo2ForCausalLM");
        config["sliding_window"] = model.Window; // OLMo 3's, which the reader refuses by its name
        return config;
    }

    private static JsonObject SmolLm3(GgufModel model)
    {
        var config = WithBiases(model, model.RotaryConfig("smollm3", "SmolLM3ForCausalLM"));
        config["no_rope_layer_interval"] = 4; // llama.cpp has no key for it
        config["use_sliding_window"] = false;
        return config;
    }

    private static JsonObject Granite(GgufModel model)
    {
        if (model.Flag("rope.scaling.finetuned") == false)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{model.Metadata.File}: granite.rope.scaling.finetuned = false means a Granite without rotary positions, which is not supported.");
        }

        var config = WithBiases(model, model.RotaryConfig("granite", "GraniteForCausalLM"));
        // Nought stands for the plain rule in llama.cpp.
        config["attention_multiplier"] = model.Number("attention.scale") is { } scale and not 0 ? scale : 1 / Math.Sqrt(model.HeadDim);
        config["embedding_multiplier"] = model.Number("embedding_scale") is { } embedding and not 0 ? embedding : 1;
        config["residual_multiplier"] = model.Number("residual_scale") is { } residual and not 0 ? residual : 1;
        config["logits_scaling"] = model.Number("logit_scale") ?? throw model.Metadata.Missing("granite.logit_scale");
        return config;
    }

    private static JsonObject WithBiases(GgufModel model, JsonObject config)
    {
        config["attention_bias"] = model.LayersHave("attn_q.bias");
        config["mlp_bias"] = model.LayersHave("ffn_gate.bias");
        return config;
    }
}
