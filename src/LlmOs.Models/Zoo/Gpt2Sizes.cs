using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>The sizes that make a model of the GPT-2 layout.</summary>
/// <param name="Vocabulary">Rows of the token embedding V.</param>
/// <param name="Hidden">Width D of the model.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Heads">Attention heads H.</param>
/// <param name="Intermediate">Width F of the feed-forward layer; published models have 4 D.</param>
/// <param name="Context">Rows C of the position embedding.</param>
/// <param name="NormEps">Added to the variance under the norm's root.</param>
public sealed record Gpt2Sizes(
    int Vocabulary,
    int Hidden,
    int Layers,
    int Heads,
    int Intermediate,
    int Context,
    double NormEps = 1e-5) : DecoderSizes(Vocabulary, Hidden, Layers, Heads, Intermediate, Context, TiedHead: true)
{
    public override string ModelType => "gpt2";

    public override long Parameters =>
        ((long)Vocabulary * Hidden) + ((long)Context * Hidden)
        + (Layers * ((4L * Hidden * Hidden) + (4L * Hidden) + (2L * Hidden * Intermediate) + Intermediate + Hidden + (4L * Hidden)))
        + (2L * Hidden);

    /// <remarks>The projections' matrices alone.</remarks>
    public override bool Decays(string weight) =>
        weight.EndsWith(".weight", StringComparison.Ordinal) && (weight.Contains(".c_attn.", StringComparison.Ordinal) || weight.Contains(".c_proj.", StringComparison.Ordinal) || weight.Contains(".c_fc.", StringComparison.Ordinal));

    /// <summary>Whether a published configuration is of the plain layout: tanh GELU, tied head, plain scaling of scores.</summary>
    public static bool Fits(ConfigJson config) =>
        (config.Text("activation_function") ?? "gelu_new") is "gelu_new" or "gelu_pytorch_tanh"
        && (config.Flag("tie_word_embeddings") ?? true)
        && (config.Flag("scale_attn_weights") ?? true)
        && !(config.Flag("scale_attn_by_inverse_layer_idx") ?? false)
        && !(config.Flag("add_cross_attention") ?? false);

    /// <summary>The sizes of a published configuration that <see cref="Fits"/>.</summary>
    /// <exception cref="ModelFormatException">A size is missing or contradicts another.</exception>
    public static Gpt2Sizes Of(ConfigJson config)
    {
        const int Max = 1 << 20;
        var hidden = Needed("n_embd");
        var heads = Needed("n_head");
        if (hidden % heads != 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{config.File}: {heads} heads do not divide a width of {hidden}.");
        }

        return new Gpt2Sizes(
            Needed("vocab_size"), hidden, Needed("n_layer"), heads, config.Whole("n_inner", 1, 8 * Max) ?? (4 * hidden), Needed("n_positions"), config.Number("layer_norm_epsilon") ?? 1e-5);

        int Needed(string key) => config.Whole(key, 1, Max) ?? throw config.Missing(key);
    }
}
