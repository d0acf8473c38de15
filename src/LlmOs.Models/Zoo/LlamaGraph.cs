using System.Text.Json;
using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Infrastructure;
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
        Ties = WeightTies.Head(LlamaWeights.Embedding, LlamaWeights.Head),
        Training = new TrainableLayout("Llama", LlamaSizes.OfConfig, LlamaSizes.OfShape),
    };

    /// <summary>What the engine must know of the graph that <c>Write</c> makes.</summary>
    public static DecoderShape ShapeOf(ModelConfig config) => DecoderArchitecture.ShapeOf(config);

    /// <summary>Writes <c>model.onnx</c> and <c>weights.bin</c> in f32.</summary>
    /// <param name="folder">An existing folder without these files.</param>
    /// <exception cref="ModelFormatException">The weights do not fit the configuration.</exception>
    public static ServingGraph Write(ModelConfig config, IWeightSource weights, string folder, CancellationToken cancel) =>
        Write(config, weights, WeightPrecision.F32, folder, cancel);

    /// <summary>The same in a precision.</summary>
    public static ServingGraph Write(ModelConfig config, IWeightSource weights, WeightPrecision precision, string folder, CancellationToken cancel) =>
        Architecture.WriteGraph(config, weights, precision, folder, cancel);

    /// <summary>The decoder of this layout; others are published in it with other options.</summary>
    internal static void Build(DecoderWriter decoder, AttentionOptions attention) => Build(decoder, _ => attention);

    /// <param name="attention">The options of each layer.</param>
    internal static void Build(DecoderWriter decoder, Func<int, AttentionOptions> attention)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            decoder.BeginLayer();
            decoder.Add(decoder.Attention(layer, decoder.RmsNorm($"{at}.input_layernorm"), AttentionOf(config, at), attention(layer)));
            decoder.Add(MlpOf(decoder, at, decoder.RmsNorm($"{at}.post_attention_layernorm")));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }

    internal static AttentionWeights AttentionOf(ModelConfig config, string at) => AttentionWeights.Projections(config, $"{at}.self_attn", "o_proj");

    internal static string MlpOf(DecoderWriter decoder, string at, string x) =>
        decoder.GatedMlp(x, $"{at}.mlp.gate_proj", $"{at}.mlp.up_proj", $"{at}.mlp.down_proj", bias: decoder.Config.MlpBias);

    private static void Build(DecoderWriter decoder) =>
        Build(decoder, new AttentionOptions { Bias = decoder.Config.AttentionBias, OutputBias = decoder.Config.AttentionBias });
}

/// <summary>The sizes that make a model of the Llama layout.</summary>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Hidden">Width D of the model.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Query heads H; D / H is even.</param>
/// <param name="KvHeads">Key/value heads G, a divisor of H.</param>
/// <param name="Intermediate">Width F of the gated feed-forward layer.</param>
/// <param name="Context">Most tokens T of a window.</param>
/// <param name="TiedHead">Whether the embedding is also the output head.</param>
/// <param name="RopeTheta">Base of the rotary wavelengths.</param>
/// <param name="NormEps">Added to the mean square under the norm's root.</param>
public sealed record LlamaSizes(
    int Vocabulary,
    int Hidden,
    int Layers,
    int Heads,
    int KvHeads,
    int Intermediate,
    int Context,
    bool TiedHead = true,
    double RopeTheta = 10_000,
    double NormEps = 1e-5) : DecoderSizes(Vocabulary, Hidden, Layers, Heads, Intermediate, Context, TiedHead)
{
    public override string ModelType => "llama";

    public override long Parameters =>
        (long)Vocabulary * Hidden * (TiedHead ? 1 : 2)
        + Layers * ((2L * Hidden * Hidden) + (2L * Hidden * KvHeads * HeadDim) + (3L * Hidden * Intermediate) + (2L * Hidden))
        + Hidden;

    /// <remarks>The projections, not norms and not the embedding.</remarks>
    public override bool Decays(string weight) =>
        !weight.EndsWith("norm.weight", StringComparison.Ordinal) && !weight.EndsWith("embed_tokens.weight", StringComparison.Ordinal);

    public override void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("LlamaForCausalLM");
        json.WriteEndArray();
        json.WriteString("model_type", "llama");
        json.WriteBoolean("attention_bias", false);
        json.WriteNumber("attention_dropout", 0.0);
        json.WriteNumber("head_dim", HeadDim);
        json.WriteString("hidden_act", "silu");
        json.WriteNumber("hidden_size", Hidden);
        json.WriteNumber("intermediate_size", Intermediate);
        json.WriteNumber("max_position_embeddings", Context);
        json.WriteBoolean("mlp_bias", false);
        json.WriteNumber("num_attention_heads", Heads);
        json.WriteNumber("num_hidden_layers", Layers);
        json.WriteNumber("num_key_value_heads", KvHeads);
        json.WriteNumber("rms_norm_eps", NormEps);
        json.WriteNull("rope_scaling");
        json.WriteNumber("rope_theta", RopeTheta);
    }

    /// <summary>The sizes of a published configuration; null unless it is of the plain layout: no biases, plain rotary positions, heads that share out the width.</summary>
    internal static LlamaSizes? OfConfig(ConfigJson json) => ModelConfig.Read(json) is var config && Fits(config) ? Of(config) : null;

    internal static LlamaSizes OfShape(NewShape shape)
    {
        var (spec, heads) = (shape.Spec, shape.Heads);
        var width = shape.Hidden / heads;
        FieldCheck.That(width % 2 == 0, "architecture.heads", $"A head would be {width} wide; rotary positions need an even width.");
        var kvHeads = FieldCheck.Within("architecture.kv_heads", spec.KvHeads ?? heads, 1, heads);
        FieldCheck.That(heads % kvHeads == 0, "architecture.kv_heads", $"{kvHeads} key/value heads do not divide {heads} heads.");
        var intermediate = FieldCheck.Within("architecture.intermediate", spec.Intermediate ?? ((shape.Hidden * 8 / 3) + 63) / 64 * 64, 1, NewShape.MaxIntermediate);
        var theta = FieldCheck.Within("architecture.rope_theta", spec.RopeTheta ?? 10_000, 1, 1e9);
        return new LlamaSizes(shape.Vocabulary, shape.Hidden, shape.Layers, heads, kvHeads, intermediate, shape.Context, RopeTheta: theta);
    }

    private static bool Fits(ModelConfig config) =>
        config is { Rope: { Type: RopeType.Default, Divisors: null }, Activation: Activation.Silu, AttentionBias: false, MlpBias: false } && config.HeadDim * config.Heads == config.Hidden;

    private static LlamaSizes Of(ModelConfig config) => new(
        config.Vocabulary,
        config.Hidden,
        config.Layers,
        config.Heads,
        config.KvHeads,
        config.Intermediate,
        config.ContextLength,
        config.TiedEmbeddings,
        config.Rope.Theta,
        config.NormEpsilon);
}
