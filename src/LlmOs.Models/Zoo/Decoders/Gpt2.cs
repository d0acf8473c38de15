using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Infrastructure;
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
        Ties = WeightTies.Head("transformer.wte.weight", "lm_head.weight"),
        Training = new TrainableLayout("GPT-2", Gpt2Sizes.OfConfig, Gpt2Sizes.OfShape),
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

        decoder.Head(decoder.LayerNorm("transformer.ln_f"), "lm_head");
    }
}

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

    public override void WriteConfig(Utf8JsonWriter json)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("GPT2LMHeadModel");
        json.WriteEndArray();
        json.WriteString("model_type", "gpt2");
        json.WriteString("activation_function", "gelu_new");
        json.WriteNumber("attn_pdrop", 0.0);
        json.WriteNumber("embd_pdrop", 0.0);
        json.WriteNumber("resid_pdrop", 0.0);
        json.WriteNumber("layer_norm_epsilon", NormEps);
        json.WriteNumber("n_embd", Hidden);
        json.WriteNumber("n_head", Heads);
        json.WriteNumber("n_inner", Intermediate);
        json.WriteNumber("n_layer", Layers);
        json.WriteNumber("n_positions", Context);
        json.WriteBoolean("scale_attn_weights", true);
    }

    /// <summary>The sizes of a published configuration; null unless it is of the plain layout: tanh GELU, tied head, plain scaling of scores.</summary>
    internal static Gpt2Sizes? OfConfig(ConfigJson config) => Fits(config) ? Of(config) : null;

    internal static Gpt2Sizes OfShape(NewShape shape)
    {
        var spec = shape.Spec;
        FieldCheck.That(spec.KvHeads is null || spec.KvHeads == shape.Heads, "architecture.kv_heads", "The GPT-2 layout has as many key/value heads as heads; leave 'kv_heads' away.");
        FieldCheck.That(spec.RopeTheta is null, "architecture.rope_theta", "The GPT-2 layout learns its positions; leave 'rope_theta' away.");
        var intermediate = FieldCheck.Within("architecture.intermediate", spec.Intermediate ?? (4 * shape.Hidden), 1, NewShape.MaxIntermediate);
        return new Gpt2Sizes(shape.Vocabulary, shape.Hidden, shape.Layers, shape.Heads, intermediate, shape.Context);
    }

    private static bool Fits(ConfigJson config) =>
        (config.Text("activation_function") ?? "gelu_new") is "gelu_new" or "gelu_pytorch_tanh"
        && (config.Flag("tie_word_embeddings") ?? true)
        && (config.Flag("scale_attn_weights") ?? true)
        && !(config.Flag("scale_attn_by_inverse_layer_idx") ?? false)
        && !(config.Flag("add_cross_attention") ?? false);

    /// <exception cref="ModelFormatException">A size is missing or contradicts another.</exception>
    private static Gpt2Sizes Of(ConfigJson config)
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
