using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// ELECTRA (arXiv 2003.10555): BERT without a pooler, with embeddings that may be narrower than its layers. A discriminator
/// tells of each token whether another model put it there. Its numbers are those of transformers' Electra classes.
/// </summary>
internal static class Electra
{
    private const string Body = "electra.";

    private static readonly string[] Heads = [Body, "discriminator_predictions.", "generator_predictions.", "generator_lm_head.", "classifier.", "qa_outputs."];

    /// <summary>What the discriminator's scores stand for; it has no names of its own.</summary>
    private static readonly string[] Kinds = ["ORIGINAL", "REPLACED"];

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("ElectraModel", EncoderHead.None, e => e.WriteStates(States(e), pooler: null)) with
        {
            // The body alone is published without its prefix; other files of it carry the heads it was trained with.
            Rename = name => EncoderConfigs.RenameNorms(Array.Exists(Heads, h => name.StartsWith(h, StringComparison.Ordinal)) ? name : Body + name),
            LeftOver = ["embeddings.position_ids", "discriminator_predictions.*", "generator_predictions.*", "generator_lm_head.*"],
        },
        Make("ElectraForPreTraining", EncoderHead.TokenLabels, Discriminate) with { ReadConfig = json => Read(json) with { Labels = Kinds } },
        Make("ElectraForMaskedLM", EncoderHead.Tokens, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "generator_predictions.dense", "generator_predictions.LayerNorm", "generator_lm_head", Activation.Gelu);
        }) with { Ties = WeightTies.Head(Body + "embeddings.word_embeddings.weight", "generator_lm_head.weight") },
        Make("ElectraForSequenceClassification", EncoderHead.TextLabels, e =>
        {
            var (x, writer, hidden) = (States(e), e.Writer, e.Config.Hidden);
            e.WriteStates(x, pooler: null);
            var pooled = writer.Activate(Activation.Gelu, writer.Linear(e.First(x), "classifier.dense", hidden, hidden, bias: true));
            e.WriteScores(pooled, "classifier.out_proj", ofTokens: false);
        }),
        Make("ElectraForTokenClassification", EncoderHead.TokenLabels, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        }),
        Make("ElectraForQuestionAnswering", EncoderHead.Spans, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        }),
    ];

    private static string States(EncoderWriter encoder)
    {
        var (config, writer, width) = (encoder.Config, encoder.Writer, encoder.EmbeddingWidth);
        var x = writer.Add(encoder.Embed(Body + "embeddings.word_embeddings"), encoder.EmbedPositions(Body + "embeddings.position_embeddings", config.ContextLength));
        x = writer.Add(x, encoder.EmbedTypes(Body + "embeddings.token_type_embeddings"));
        x = writer.LayerNorm(x, Body + "embeddings.LayerNorm", width, config.NormEpsilon);                // [B, S, E]
        return Bert.Blocks(encoder, Body, width == config.Hidden ? x : writer.Linear(x, Body + "embeddings_project", config.Hidden, width, bias: true));
    }

    /// <summary>
    /// The discriminator gives one score z of being replaced, with probability sigmoid(z). Beside a score of nought for being
    /// original it is the second of two labels, whose softmax is that probability.
    /// </summary>
    private static void Discriminate(EncoderWriter encoder)
    {
        var (x, writer, config) = (States(encoder), encoder.Writer, encoder.Config);
        encoder.WriteStates(x, pooler: null);
        var inner = writer.Activate(config.Activation, writer.Linear(x, "discriminator_predictions.dense", config.Hidden, config.Hidden, bias: true));
        var replaced = writer.Linear(inner, "discriminator_predictions.dense_prediction", 1, config.Hidden, bias: true); // [B, S, 1]
        var scores = writer.Graph.Node("Concat", [writer.Multiply(replaced, writer.Real(0)), replaced], attributes: ("axis", -1));
        encoder.Output(scores, EncoderNames.Logits, "B", "S", Kinds.Length);
    }

    private static ModelConfig Read(ConfigJson json)
    {
        var config = EncoderConfigs.Read(json, EncoderConfigs.Bert with { Implemented = ["embedding_size"] });
        return config with { EmbeddingWidth = json.Whole("embedding_size", 1, 1 << 18) ?? 128 };
    }

    private static EncoderArchitecture Make(string className, EncoderHead head, Action<EncoderWriter> build) =>
        new("electra", className, head, HasTypes: true, HasPooler: false, Read, build)
        {
            Rename = EncoderConfigs.RenameNorms,
            LeftOver = ["embeddings.position_ids"],
        };
}
