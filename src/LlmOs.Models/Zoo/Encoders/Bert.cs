using LlmOs.Engine.Execution;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// BERT (arXiv 1810.04805, section 3): attention in both directions, norms after each half, segments. Its numbers are those of
/// transformers' Bert classes.
/// </summary>
internal static class Bert
{
    private const string Body = "bert.";

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("BertModel", EncoderHead.None, pooler: true, e => e.WriteStates(States(e, Body), Body + "pooler.dense")) with
        {
            // The body alone is published without its prefix; old files of it carry the heads it was trained with.
            Rename = name => EncoderConfigs.RenameNorms(name.StartsWith(Body, StringComparison.Ordinal) || name.StartsWith("cls.", StringComparison.Ordinal) ? name : Body + name),
            LeftOver = ["embeddings.position_ids", "cls.*"],
        },
        Make("BertForMaskedLM", EncoderHead.Tokens, pooler: false, e =>
        {
            var x = States(e, Body);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder");
        }) with
        {
            LeftOver = ["embeddings.position_ids", "bert.pooler.*", "cls.seq_relationship.*"],
            Ties = EncoderConfigs.TiedTokens(Body + "embeddings.word_embeddings.weight", "cls.predictions.decoder", "cls.predictions.bias"),
        },
        Make("BertForSequenceClassification", EncoderHead.TextLabels, pooler: true, e =>
        {
            var x = States(e, Body);
            e.WriteStates(x, pooler: null);
            var pooled = e.Pool(e.First(x), Body + "pooler.dense");
            e.Output(pooled, EncoderNames.Pooled, "B", e.Config.Hidden);
            e.WriteScores(pooled, "classifier", ofTokens: false);
        }),
        Make("BertForTokenClassification", EncoderHead.TokenLabels, pooler: false, e =>
        {
            var x = States(e, Body);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        }),
        Make("BertForQuestionAnswering", EncoderHead.Spans, pooler: false, e =>
        {
            var x = States(e, Body);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        }),
    ];

    /// <summary>The layers of the BERT layout, which RoBERTa shares.</summary>
    /// <param name="x">The embeddings before their norm.</param>
    internal static string Layers(EncoderWriter encoder, string body, string x) => Blocks(encoder, body, encoder.Norm(x, body + "embeddings.LayerNorm"));

    /// <summary>The layers behind the embeddings.</summary>
    /// <param name="x">[B, S, H]</param>
    internal static string Blocks(EncoderWriter encoder, string body, string x)
    {
        var config = encoder.Config;
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim };
        encoder.State(x);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{body}encoder.layer.{layer}";
            var own = $"{at}.attention.self";
            var attended = encoder.SelfAttention(x, new AttentionLayers($"{own}.query", $"{own}.key", $"{own}.value", $"{at}.attention.output.dense"), options);
            x = encoder.AddNorm(x, attended, $"{at}.attention.output.LayerNorm");
            x = encoder.State(encoder.AddNorm(x, encoder.Mlp(x, $"{at}.intermediate.dense", $"{at}.output.dense", config.Intermediate), $"{at}.output.LayerNorm"));
        }

        return x;
    }

    private static string States(EncoderWriter encoder, string body)
    {
        var positions = encoder.EmbedPositions(body + "embeddings.position_embeddings", encoder.Config.ContextLength);
        var x = encoder.Writer.Add(encoder.Embed(body + "embeddings.word_embeddings"), positions);
        return Layers(encoder, body, encoder.Writer.Add(x, encoder.EmbedTypes(body + "embeddings.token_type_embeddings")));
    }

    private static EncoderArchitecture Make(string className, EncoderHead head, bool pooler, Action<EncoderWriter> build) =>
        new("bert", className, head, HasTypes: true, pooler, json => EncoderConfigs.Read(json, EncoderConfigs.Bert), build)
        {
            Rename = EncoderConfigs.RenameNorms,
            LeftOver = ["embeddings.position_ids", "bert.pooler.*"],
        };
}
