using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// MPNet (arXiv 2004.09297): BERT without segments, with positions counted from the padding id on and, in every layer, the same
/// biases on scores by distance. Its numbers are those of transformers' MPNet classes.
/// </summary>
internal static class MpNet
{
    private const string Body = "mpnet.";

    /// <summary>The classes fix these, whatever the file says.</summary>
    private const int Padding = 1;
    private const int Buckets = 32;
    private const int Reach = 128;

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("MPNetModel", EncoderHead.None, pooler: true, e => e.WriteStates(States(e), Body + "pooler.dense")) with
        {
            Rename = n => n.StartsWith(Body, StringComparison.Ordinal) || n.StartsWith("lm_head.", StringComparison.Ordinal) ? n : Body + n,
            LeftOver = ["embeddings.position_ids", "lm_head.*"],
        },
        Make("MPNetForMaskedLM", EncoderHead.Tokens, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "lm_head.dense", "lm_head.layer_norm", "lm_head.decoder", Activation.Gelu);
        }) with
        {
            Ties = EncoderConfigs.TiedTokens(Body + "embeddings.word_embeddings.weight", "lm_head.decoder", "lm_head.bias"),
        },
        Make("MPNetForSequenceClassification", EncoderHead.TextLabels, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(e.Pool(e.First(x), "classifier.dense"), "classifier.out_proj", ofTokens: false);
        }),
        Make("MPNetForTokenClassification", EncoderHead.TokenLabels, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        }),
        Make("MPNetForQuestionAnswering", EncoderHead.Spans, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        }),
    ];

    private static string States(EncoderWriter encoder)
    {
        var config = encoder.Config;
        var options = new EncoderAttention
        {
            Heads = config.Heads,
            HeadDim = config.HeadDim,
            ScoreBias = RelativeBias.OfEncoder(encoder, Body + "encoder.relative_attention_bias.weight", Buckets, Reach),
        };
        var positions = encoder.EmbedCountedPositions(Body + "embeddings.position_embeddings", config.ContextLength + Padding + 1, Padding);
        var x = encoder.Writer.Add(encoder.Embed(Body + "embeddings.word_embeddings"), positions);
        x = encoder.State(encoder.Norm(x, Body + "embeddings.LayerNorm"));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}encoder.layer.{layer}";
            var own = $"{at}.attention.attn";
            var attended = encoder.SelfAttention(x, new AttentionLayers($"{own}.q", $"{own}.k", $"{own}.v", $"{own}.o"), options);
            x = encoder.AddNorm(x, attended, $"{at}.attention.LayerNorm");
            x = encoder.State(encoder.AddNorm(x, encoder.Mlp(x, $"{at}.intermediate.dense", $"{at}.output.dense", config.Intermediate), $"{at}.output.LayerNorm"));
        }

        return x;
    }

    private static ModelConfig Read(ConfigJson json)
    {
        if (json.Whole("relative_attention_num_buckets", 1, 4096) is { } buckets and not Buckets)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option relative_attention_num_buckets = {buckets} is not supported; supported: {Buckets}.");
        }

        var config = EncoderConfigs.Read(json, EncoderConfigs.Bert);
        return config.ContextLength > Padding + 1
            ? config with { TypeVocabulary = 0, PadToken = Padding, ContextLength = config.ContextLength - Padding - 1 }
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'max_position_embeddings' ({config.ContextLength}) leaves no place after the padding id.");
    }

    private static EncoderArchitecture Make(string className, EncoderHead head, bool pooler, Action<EncoderWriter> build) =>
        new("mpnet", className, head, HasTypes: false, pooler, Read, build) { LeftOver = ["embeddings.position_ids", "mpnet.pooler.*"] };
}
