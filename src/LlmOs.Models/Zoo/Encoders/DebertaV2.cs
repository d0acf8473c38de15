using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// DeBERTa v2 and v3 (arXiv 2006.03654, section 3.1; arXiv 2111.09543): scores are made of what a token says and of how far it is,
/// each asked of the other. Its numbers are those of transformers' DebertaV2 classes.
/// </summary>
internal static class DebertaV2
{
    private const string Body = "deberta.";

    private static readonly string[] OtherHeads = ["lm_predictions.*", "mask_predictions.*", "cls.*"];

    public static IReadOnlyList<Architecture> Architectures { get; } = Family("deberta-v2", "DebertaV2", Read);

    /// <summary>The classes of one version.</summary>
    internal static IReadOnlyList<Architecture> Family(string modelType, string prefix, Func<ConfigJson, ModelConfig> read)
    {
        EncoderArchitecture Make(string className, EncoderHead head, Action<EncoderWriter> build) =>
            new(modelType, prefix + className, head, HasTypes: true, HasPooler: false, read, build) { LeftOver = ["embeddings.position_ids", .. OtherHeads] };

        return
        [
            Make("Model", EncoderHead.None, e => e.WriteStates(States(e), pooler: null)) with
            {
                // The body alone is published without its prefix; other files of it carry the heads it was trained with.
                Rename = name => Array.Exists([Body, "lm_predictions.", "mask_predictions.", "cls."], h => name.StartsWith(h, StringComparison.Ordinal)) ? name : Body + name,
            },
            Make("ForMaskedLM", EncoderHead.Tokens, e =>
            {
                var x = States(e);
                e.WriteStates(x, pooler: null);
                if (e.Config.Disentangled!.LegacyHead)
                {
                    e.WriteTokens(x, "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.decoder");
                }
                else
                {
                    WriteTiedTokens(e, x);
                }
            }) with
            {
                LeftOver = ["embeddings.position_ids", "mask_predictions.*"],
                Ties = config => config.Disentangled!.LegacyHead
                    ? EncoderConfigs.TiedTokens(Body + "embeddings.word_embeddings.weight", "cls.predictions.decoder", "cls.predictions.bias")(config) : [],
            },
            Make("ForSequenceClassification", EncoderHead.TextLabels, e =>
            {
                var (x, writer, config) = (States(e), e.Writer, e.Config);
                e.WriteStates(x, pooler: null);
                var pooled = writer.Activate(config.Disentangled!.PoolerActivation, writer.Linear(e.First(x), "pooler.dense", config.Hidden, config.Hidden, bias: true));
                e.WriteScores(pooled, "classifier", ofTokens: false);
            }),
            Make("ForTokenClassification", EncoderHead.TokenLabels, e =>
            {
                var x = States(e);
                e.WriteStates(x, pooler: null);
                e.WriteScores(x, "classifier", ofTokens: true);
            }),
            Make("ForQuestionAnswering", EncoderHead.Spans, e =>
            {
                var x = States(e);
                e.WriteStates(x, pooler: null);
                e.WriteSpans(x);
            }),
        ];
    }

    private static string States(EncoderWriter encoder)
    {
        var (config, own) = (encoder.Config, encoder.Config.Disentangled!);
        var embedded = Embeddings(encoder);
        var attention = new DisentangledAttention(encoder, Body + "encoder");
        var x = encoder.State(embedded);
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}encoder.layer.{layer}";
            x = encoder.AddNorm(x, attention.Attend(x, $"{at}.attention"), $"{at}.attention.output.LayerNorm");
            x = encoder.AddNorm(x, encoder.Mlp(x, $"{at}.intermediate.dense", $"{at}.output.dense", config.Intermediate), $"{at}.output.LayerNorm");
            x = encoder.State(layer == 0 && own.ConvWidth > 0 ? Conv(encoder, embedded, x) : x);
        }

        return x;
    }

    private static string Embeddings(EncoderWriter encoder)
    {
        var (config, writer, width) = (encoder.Config, encoder.Writer, encoder.EmbeddingWidth);
        var x = encoder.Embed(Body + "embeddings.word_embeddings");
        if (config.Disentangled!.HasPositions)
        {
            x = writer.Add(x, encoder.EmbedPositions(Body + "embeddings.position_embeddings", config.ContextLength));
        }

        if (config.TypeVocabulary > 0)
        {
            x = writer.Add(x, encoder.EmbedTypes(Body + "embeddings.token_type_embeddings"));
        }

        x = width == config.Hidden ? x : writer.Linear(x, Body + "embeddings.embed_proj", config.Hidden, width, bias: false);
        return encoder.Norm(x, Body + "embeddings.LayerNorm");
    }

    /// <summary>Norm of x + act(layer over each embedding and its neighbours): a matrix over the neighbours side by side.</summary>
    private static string Conv(EncoderWriter encoder, string embedded, string x)
    {
        const string Name = Body + "encoder.conv.conv";
        var (writer, hidden, width) = (encoder.Writer, encoder.Config.Hidden, encoder.Config.Disentangled!.ConvWidth);
        writer.Need(Name + ".weight", hidden, hidden, width);
        var matrix = new Matrix(Name + ".columns", hidden, (long)width * hidden, sink =>
        {
            var published = writer.Read(Name + ".weight");                                               // [H, H, width]
            for (var row = 0; row < hidden; row++)
            {
                for (var place = 0; place < width; place++)
                {
                    sink.Write([.. Enumerable.Range(0, hidden).Select(column => published[((((long)row * hidden) + column) * width) + place])]);
                }
            }
        });
        var filled = writer.Multiply(embedded, encoder.Mask());                                          // what lies beyond the text is nought
        var reach = width / 2;
        var padded = writer.Graph.Node("Pad", [filled, writer.Wholes(0, reach, 0, 0, reach, 0)]);        // [B, S + 2 * reach, H]
        var shifts = Enumerable.Range(0, width).Select(place =>
            writer.Graph.Node("Slice", [padded, writer.Wholes(place), writer.Graph.Node("Add", [encoder.Tokens(), writer.Wholes(place)]), writer.Wholes(1)]));
        var neighbours = writer.Graph.Node("Concat", [.. shifts], attributes: ("axis", -1));             // [B, S, width * H]
        var summed = writer.Linear(neighbours, matrix, writer.Weight(Name + ".bias", hidden));
        return encoder.AddNorm(x, writer.Activate(encoder.Config.Disentangled.ConvActivation, summed), Body + "encoder.conv.LayerNorm");
    }

    /// <summary>The newer head: the embeddings are its decoder.</summary>
    private static void WriteTiedTokens(EncoderWriter encoder, string x)
    {
        const string Head = "lm_predictions.lm_head";
        var (writer, config) = (encoder.Writer, encoder.Config);
        var inner = writer.Activate(config.Activation, writer.Linear(encoder.WantedRows(x), Head + ".dense", config.Hidden, config.Hidden, bias: true));
        var matrix = writer.Published(Body + "embeddings.word_embeddings.weight", config.Vocabulary, config.Hidden);
        encoder.Output(writer.Linear(encoder.Norm(inner, Head + ".LayerNorm"), matrix, writer.Weight(Head + ".bias", config.Vocabulary)), EncoderNames.Logits, "N", config.Vocabulary);
    }

    internal static ModelConfig Read(ConfigJson json)
    {
        var config = EncoderConfigs.Read(json, EncoderConfigs.Bert with { DefaultEpsilon = 1e-7, Implemented = ["embedding_size"] });
        if (json.Whole("attention_head_size", 1, 1 << 18) is { } width && width != config.HeadDim)
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedArchitecture, $"{json.File}: the option attention_head_size = {width} is not supported; supported: {config.HeadDim}.");
        }

        return config with
        {
            TypeVocabulary = json.Whole("type_vocab_size", 0, 1024) ?? 0,
            EmbeddingWidth = json.Whole("embedding_size", 1, 1 << 18) ?? 0,
            Disentangled = DisentangledConfig.Read(json, config.ContextLength),
        };
    }
}
