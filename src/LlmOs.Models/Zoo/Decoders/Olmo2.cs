using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Decoders;

/// <summary>
/// OLMo 2 (arXiv 2501.00656, section 3.2): Llama with its norms behind attention and feed-forward instead of before them,
/// and one norm over all heads of the queries and one over those of the keys. Its numbers are those of transformers' Olmo2ForCausalLM.
/// </summary>
internal static class Olmo2
{
    public static DecoderArchitecture Architecture { get; } = new("olmo2", "Olmo2ForCausalLM", Read, Build)
    {
        Ties = WeightTies.Head("model.embed_tokens.weight", "lm_head.weight"),
        Training = new TrainableLayout("OLMo 2", Olmo2Sizes.OfConfig, Olmo2Sizes.OfShape),
    };

    internal static ModelConfig Read(ConfigJson json) =>
        ModelConfig.Read(json, new ConfigSpelling { DefaultEpsilon = 1e-5 }) with { AttentionBias = json.Flag("attention_bias") ?? false };

    private static void Build(DecoderWriter decoder)
    {
        var config = decoder.Config;
        decoder.Embed("model.embed_tokens");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"model.layers.{layer}";
            var options = new AttentionOptions
            {
                Bias = config.AttentionBias,
                OutputBias = config.AttentionBias,
                HeadNorms = ($"{at}.self_attn.q_norm", $"{at}.self_attn.k_norm"),
                HeadNorm = HeadNorm.Together,
            };
            decoder.OutputState();
            var attended = decoder.Attention(layer, decoder.State(), LlamaGraph.AttentionOf(config, at), options);
            decoder.Add(decoder.RmsNorm(attended, $"{at}.post_attention_layernorm", gainOffset: 0));
            var fed = LlamaGraph.MlpOf(decoder, at, decoder.State());
            decoder.Add(decoder.RmsNorm(fed, $"{at}.post_feedforward_layernorm", gainOffset: 0));
        }

        decoder.Head(decoder.RmsNorm("model.norm"), "lm_head");
    }
}

/// <summary>The sizes that make a model of the OLMo 2 layout.</summary>
/// <param name="Heads">Query heads; the width of each is even.</param>
/// <param name="KvHeads">Key/value heads, a divisor of them.</param>
/// <param name="RopeTheta">Base of the rotary wavelengths.</param>
/// <param name="NormEps">Added to the mean square under a norm's root.</param>
public sealed record Olmo2Sizes(
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
    public override string ModelType => "olmo2";

    /// <remarks>Each block has four projections, norms over all queries and over all keys, the gated feed-forward layer, and two norms.</remarks>
    public override long Parameters =>
        ((long)Vocabulary * Hidden * (TiedHead ? 1 : 2))
        + (Layers * ((2L * Hidden * Hidden) + (2L * Hidden * KvHeads * HeadDim) + Hidden + (KvHeads * HeadDim) + (3L * Hidden * Intermediate) + (2L * Hidden)))
        + Hidden;

    /// <remarks>The projections, not norms and not the embedding.</remarks>
    public override bool Decays(string weight) =>
        !weight.EndsWith("norm.weight", StringComparison.Ordinal) && !weight.EndsWith("embed_tokens.weight", StringComparison.Ordinal);

    public override void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("Olmo2ForCausalLM");
        json.WriteEndArray();
        json.WriteString("model_type", ModelType);
        json.WriteBoolean("attention_bias", false);
        json.WriteNumber("attention_dropout", 0.0);
        json.WriteString("hidden_act", "silu");
        json.WriteNumber("hidden_size", Hidden);
        json.WriteNumber("intermediate_size", Intermediate);
        json.WriteNumber("max_position_embeddings", Context);
        json.WriteNumber("num_attention_heads", Heads);
        json.WriteNumber("num_hidden_layers", Layers);
        json.WriteNumber("num_key_value_heads", KvHeads);
        json.WriteNumber("rms_norm_eps", NormEps);
        json.WriteNull("rope_scaling");
        json.WriteNumber("rope_theta", RopeTheta);
    }

    /// <summary>The sizes of a published configuration; null where it has biases, other positions than the plain rotary ones, or heads that do not share out the width.</summary>
    internal static Olmo2Sizes? OfConfig(ConfigJson json)
    {
        var config = Olmo2.Read(json);
        var fits = config is { Rope: { Type: RopeType.Default, Divisors: null }, Activation: Activation.Silu, AttentionBias: false } && config.HeadDim * config.Heads == config.Hidden;
        return !fits ? null : new Olmo2Sizes(
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

    internal static Olmo2Sizes OfShape(NewShape shape)
    {
        var (spec, heads) = (shape.Spec, shape.Heads);
        var width = shape.Hidden / heads;
        FieldCheck.That(width % 2 == 0, "architecture.heads", $"A head would be {width} wide; rotary positions need an even width.");
        var kvHeads = FieldCheck.Within("architecture.kv_heads", spec.KvHeads ?? heads, 1, heads);
        FieldCheck.That(heads % kvHeads == 0, "architecture.kv_heads", $"{kvHeads} key/value heads do not divide {heads} heads.");
        var intermediate = FieldCheck.Within("architecture.intermediate", spec.Intermediate ?? ((shape.Hidden * 8 / 3) + 63) / 64 * 64, 1, NewShape.MaxIntermediate);
        var theta = FieldCheck.Within("architecture.rope_theta", spec.RopeTheta ?? 10_000, 1, 1e9);
        return new Olmo2Sizes(shape.Vocabulary, shape.Hidden, shape.Layers, heads, kvHeads, intermediate, shape.Context, RopeTheta: theta);
    }
}
