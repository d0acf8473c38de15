using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// ALBERT (arXiv 1909.11942): BERT whose layers share their weights, with embeddings narrower than its layers. Its numbers are
/// those of transformers' Albert classes.
/// </summary>
internal static class Albert
{
    private const string Body = "albert.";

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("AlbertModel", EncoderHead.None, pooler: true, e => e.WriteStates(States(e), Body + "pooler")) with
        {
            // The body alone is published without its prefix; other files of it carry the heads it was trained with.
            Rename = name => Array.Exists([Body, "predictions.", "sop_classifier."], h => name.StartsWith(h, StringComparison.Ordinal)) ? name : Body + name,
            LeftOver = ["embeddings.position_ids", "predictions.*", "sop_classifier.*"],
        },
        Make("AlbertForMaskedLM", EncoderHead.Tokens, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "predictions.dense", "predictions.LayerNorm", "predictions.decoder");
        }) with
        {
            LeftOver = ["embeddings.position_ids", "albert.pooler.*", "sop_classifier.*"],
            Ties = EncoderConfigs.TiedTokens(Body + "embeddings.word_embeddings.weight", "predictions.decoder", "predictions.bias"),
        },
        Make("AlbertForSequenceClassification", EncoderHead.TextLabels, pooler: true, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            var pooled = e.Pool(e.First(x), Body + "pooler");
            e.Output(pooled, EncoderNames.Pooled, "B", e.Config.Hidden);
            e.WriteScores(pooled, "classifier", ofTokens: false);
        }),
        Make("AlbertForTokenClassification", EncoderHead.TokenLabels, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        }),
        Make("AlbertForQuestionAnswering", EncoderHead.Spans, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        }),
    ];

    private static string States(EncoderWriter encoder)
    {
        var (config, writer, width) = (encoder.Config, encoder.Writer, encoder.EmbeddingWidth);
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim };
        var x = writer.Add(encoder.Embed(Body + "embeddings.word_embeddings"), encoder.EmbedPositions(Body + "embeddings.position_embeddings", config.ContextLength));
        x = writer.Add(x, encoder.EmbedTypes(Body + "embeddings.token_type_embeddings"));
        x = writer.LayerNorm(x, Body + "embeddings.LayerNorm", width, config.NormEpsilon);                // [B, S, E]
        x = encoder.State(writer.Linear(x, Body + "encoder.embedding_hidden_mapping_in", config.Hidden, width, bias: true));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var group = (int)(layer / ((double)config.Layers / config.Sharing!.Groups));
            for (var inner = 0; inner < config.Sharing.LayersPerGroup; inner++)
            {
                var at = $"{Body}encoder.albert_layer_groups.{group}.albert_layers.{inner}";
                var own = $"{at}.attention";
                var attended = encoder.SelfAttention(x, new AttentionLayers($"{own}.query", $"{own}.key", $"{own}.value", $"{own}.dense"), options);
                x = encoder.AddNorm(x, attended, $"{own}.LayerNorm");
                x = encoder.AddNorm(x, encoder.Mlp(x, $"{at}.ffn", $"{at}.ffn_output", config.Intermediate), $"{at}.full_layer_layer_norm");
            }

            encoder.State(x);
        }

        return x;
    }

    private static ModelConfig Read(ConfigJson json)
    {
        var config = EncoderConfigs.Read(json, EncoderConfigs.Bert with { DefaultActivation = "gelu_new", Implemented = ["embedding_size"] });
        return config with
        {
            EmbeddingWidth = json.Whole("embedding_size", 1, 1 << 18) ?? 128,
            Sharing = new SharingConfig(json.Whole("num_hidden_groups", 1, config.Layers) ?? 1, json.Whole("inner_group_num", 1, 4096) ?? 1),
        };
    }

    private static EncoderArchitecture Make(string className, EncoderHead head, bool pooler, Action<EncoderWriter> build) =>
        new("albert", className, head, HasTypes: true, pooler, Read, build) { LeftOver = ["embeddings.position_ids", "albert.pooler.*", "sop_classifier.*"] };
}
