using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// ModernBERT (arXiv 2412.13663, section 2.1): rotary positions, norms before each half, gated feed-forward layers, and layers
/// that see a window besides layers that see all. Its numbers are those of transformers' ModernBert classes.
/// </summary>
internal static class ModernBert
{
    private const string Body = "model.";

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("ModernBertModel", EncoderHead.None, e => e.WriteStates(States(e), pooler: null)) with
        {
            // The body alone is published without its prefix; other files of it carry the head it was trained with.
            Rename = name => Array.Exists(["head.", "decoder.", Body], start => name.StartsWith(start, StringComparison.Ordinal)) ? name : Body + name,
            LeftOver = ["head.*", "decoder.*"],
        },
        Make("ModernBertForMaskedLM", EncoderHead.Tokens, e =>
        {
            var (x, writer, config) = (States(e), e.Writer, e.Config);
            e.WriteStates(x, pooler: null);
            var matrix = writer.Published("decoder.weight", config.Vocabulary, config.Hidden);
            var scores = writer.Linear(Head(e, e.WantedRows(x)), matrix, config.ModernBert!.DecoderBias ? writer.Weight("decoder.bias", config.Vocabulary) : null);
            e.Output(scores, EncoderNames.Logits, "N", config.Vocabulary);
        }) with { Ties = WeightTies.Head(Body + "embeddings.tok_embeddings.weight", "decoder.weight") },
        Make("ModernBertForSequenceClassification", EncoderHead.TextLabels, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(Head(e, e.Config.ModernBert!.MeanPooling ? e.Mean(x) : e.First(x)), "classifier", ofTokens: false);
        }),
        Make("ModernBertForTokenClassification", EncoderHead.TokenLabels, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(Head(e, x), "classifier", ofTokens: true);
        }),
        Make("ModernBertForQuestionAnswering", EncoderHead.Spans, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(Head(e, x), "classifier");
        }),
    ];

    private static string States(EncoderWriter encoder)
    {
        var (config, writer, biased) = (encoder.Config, encoder.Writer, encoder.Config.ModernBert!.NormBias);
        long width = (long)config.Heads * config.HeadDim;
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim, Bias = config.AttentionBias };
        var local = options with { ScoreBias = config.Windows.Any(window => window > 0) ? encoder.WindowBias(config.Windows.Max()) : null };
        string Norm(string x, string name) => encoder.Norm(x, name, biased);

        var x = Norm(encoder.Embed(Body + "embeddings.tok_embeddings"), Body + "embeddings.norm");
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}layers.{layer}";
            var windowed = config.Windows.Count > 0 && config.Windows[layer] > 0;
            encoder.State(x);
            var normed = layer == 0 ? x : Norm(x, $"{at}.attn_norm"); // the embeddings' norm is the first layer's
            var parts = writer.Split(writer.Linear(normed, $"{at}.attn.Wqkv", 3 * width, config.Hidden, config.AttentionBias), $"{at}.attn.Wqkv", width, width, width);
            var (query, key) = (encoder.Turn(parts[0], windowed), encoder.Turn(parts[1], windowed));
            x = writer.Add(x, encoder.Attend(query, key, parts[2], $"{at}.attn.Wo", windowed ? local : options));
            x = writer.Add(x, Feed(encoder, Norm(x, $"{at}.mlp_norm"), $"{at}.mlp"));
        }

        return encoder.State(Norm(x, Body + "final_norm"));
    }

    /// <summary>down(act(gate(x)) * up(x)), the gate's rows first in one published layer.</summary>
    private static string Feed(EncoderWriter encoder, string x, string at)
    {
        var (config, writer) = (encoder.Config, encoder.Writer);
        var halves = writer.Split(writer.Linear(x, $"{at}.Wi", 2L * config.Intermediate, config.Hidden, config.MlpBias), $"{at}.Wi", config.Intermediate, config.Intermediate);
        var inner = writer.Multiply(writer.Activate(config.Activation, halves[0]), halves[1]);
        return writer.Linear(inner, $"{at}.Wo", config.Hidden, config.Intermediate, config.MlpBias);
    }

    /// <summary>norm(act(layer(x))), before each of the classifiers.</summary>
    private static string Head(EncoderWriter encoder, string x)
    {
        var (writer, own, hidden) = (encoder.Writer, encoder.Config.ModernBert!, encoder.Config.Hidden);
        return encoder.Norm(writer.Activate(own.HeadActivation, writer.Linear(x, "head.dense", hidden, hidden, own.HeadBias)), "head.norm", own.NormBias);
    }

    private static ModelConfig Read(ConfigJson json)
    {
        var config = EncoderConfigs.Read(json, new ConfigSpelling
        {
            Epsilon = "norm_eps",
            DefaultEpsilon = 1e-5,
            Activation = "hidden_activation",
            DefaultActivation = "gelu",
            DefaultContext = 8192,
            DefaultTied = true,
            Rotary = false, // read below, for both kinds of layers
            Implemented = ["hidden_activation", "layer_types"],
        });
        if (config.HeadDim % 2 != 0)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: heads of {config.HeadDim} components are odd; rotary positions turn pairs.");
        }

        var every = json.Whole("global_attn_every_n_layers", 1, 4096) ?? 3;
        bool IsLocal(int layer) => layer % every != 0;
        // A window of n sees n / 2 tokens on each side.
        var windows = LayerWindows.Read(json, config.Layers, json.Whole("local_attention", 1, ModelConfig.MaxContextLength) ?? 128, IsLocal);
        if (Enumerable.Range(0, config.Layers).Any(layer => (windows.Count > 0 && windows[layer] > 0) != IsLocal(layer)))
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture,
                $"{json.File}: layer_types and global_attn_every_n_layers = {every} name different layers, which is not supported; supported: the same.");
        }

        var (both, old) = (json.Section("rope_parameters"), json.Section("rope_scaling"));
        var (all, local) = (
            RopeConfig.Read(json, both?.Section("full_attention") ?? old, json.Number("global_rope_theta") ?? 160_000, 1, partial: false),
            RopeConfig.Read(json, both?.Section("sliding_attention") ?? old, json.Number("local_rope_theta") ?? 10_000, 1, partial: false));
        return config with
        {
            TypeVocabulary = 0,
            AttentionBias = json.Flag("attention_bias") ?? false,
            MlpBias = json.Flag("mlp_bias") ?? false,
            Windows = windows,
            Rope = all,
            LocalRope = local,
            ContextLength = new[] { config.ContextLength, all.LongestContext ?? int.MaxValue, local.LongestContext ?? int.MaxValue }.Min(),
            ModernBert = ModernBertConfig.Read(json),
        };
    }

    private static EncoderArchitecture Make(string className, EncoderHead head, Action<EncoderWriter> build) =>
        new("modernbert", className, head, HasTypes: false, HasPooler: false, Read, build);
}
