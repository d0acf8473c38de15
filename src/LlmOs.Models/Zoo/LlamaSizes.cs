using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>The sizes that make a model of the Llama layout.</summary>
/// <param name="Vocabulary">Rows of the embedding.</param>
/// <param name="Hidden">Width D of the model.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Query heads H; D / H is even.</param>
/// <param name="KvHeads">Key/value heads G, a divisor of H.</param>
/// <param name="Intermediate">Width F of the gated feed-forward layer.</param>
/// <param name="Context">Maximum tokens T of a window.</param>
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

    /// <summary>Whether a published model is of this layout: no biases, plain rotary positions, heads that share out the width.</summary>
    public static bool Fits(ModelConfig config) =>
        config is { Rope: { Type: RopeType.Default, Divisors: null }, Activation: Activation.Silu, AttentionBias: false, MlpBias: false } && config.HeadDim * config.Heads == config.Hidden;

    /// <summary>The sizes of a published model that <see cref="Fits"/>.</summary>
    public static LlamaSizes Of(ModelConfig config) => new(
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

    public override long Parameters =>
        (long)Vocabulary * Hidden * (TiedHead ? 1 : 2)
        + Layers * ((2L * Hidden * Hidden) + (2L * Hidden * KvHeads * HeadDim) + (3L * Hidden * Intermediate) + (2L * Hidden))
        + Hidden;

    /// <remarks>The projections, not norms and not the embedding.</remarks>
    public override bool Decays(string weight) =>
        !weight.EndsWith("norm.weight", StringComparison.Ordinal) && !weight.EndsWith("embed_tokens.weight", StringComparison.Ordinal);
}
