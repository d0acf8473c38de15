using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>DistilBERT (arXiv 1910.01108): BERT with fewer layers and without segments. Its numbers are those of transformers' DistilBert classes.</summary>
internal static class DistilBert
{
    private const string Body = "distilbert.";

    private static readonly string[] Heads = [Body, "vocab_", "pre_classifier.", "classifier.", "qa_outputs."];

    public static IReadOnlyList<Architecture> Architectures { get; } =
    [
        Make("DistilBertModel", EncoderHead.None, e => e.WriteStates(States(e), pooler: null)) with
        {
            Rename = name => EncoderConfigs.RenameNorms(Array.Exists(Heads, h => name.StartsWith(h, StringComparison.Ordinal)) ? name : Body + name),
            LeftOver = ["embeddings.position_ids", "vocab_*"],
        },
        Make("DistilBertForMaskedLM", EncoderHead.Tokens, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "vocab_transform", "vocab_layer_norm", "vocab_projector");
        }) with { Ties = WeightTies.Head(Body + "embeddings.word_embeddings.weight", "vocab_projector.weight") },
        Make("DistilBertForSequenceClassification", EncoderHead.TextLabels, e =>
        {
            var (x, writer, hidden) = (States(e), e.Writer, e.Config.Hidden);
            e.WriteStates(x, pooler: null);
            var pooled = writer.Activate(Activation.Relu, writer.Linear(e.First(x), "pre_classifier", hidden, hidden, bias: true));
            e.WriteScores(pooled, "classifier", ofTokens: false);
        }),
        Make("DistilBertForTokenClassification", EncoderHead.TokenLabels, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        }),
        Make("DistilBertForQuestionAnswering", EncoderHead.Spans, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        }),
    ];

    private static string States(EncoderWriter encoder)
    {
        var config = encoder.Config;
        var options = new EncoderAttention { Heads = config.Heads, HeadDim = config.HeadDim };
        var embedded = encoder.Writer.Add(
            encoder.Embed(Body + "embeddings.word_embeddings"), encoder.EmbedPositions(Body + "embeddings.position_embeddings", config.ContextLength));
        var x = encoder.State(encoder.Norm(embedded, Body + "embeddings.LayerNorm"));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var at = $"{Body}transformer.layer.{layer}";
            var own = $"{at}.attention";
            var attended = encoder.SelfAttention(x, new AttentionLayers($"{own}.q_lin", $"{own}.k_lin", $"{own}.v_lin", $"{own}.out_lin"), options);
            x = encoder.AddNorm(x, attended, $"{at}.sa_layer_norm");
            x = encoder.State(encoder.AddNorm(x, encoder.Mlp(x, $"{at}.ffn.lin1", $"{at}.ffn.lin2", config.Intermediate), $"{at}.output_layer_norm"));
        }

        return x;
    }

    private static ModelConfig Read(ConfigJson json) => EncoderConfigs.Read(json, new ConfigSpelling
    {
        Hidden = "dim",
        Intermediate = "hidden_dim",
        Layers = "n_layers",
        Heads = "n_heads",
        Epsilon = "layer_norm_eps", // never stated: the classes fix it
        DefaultEpsilon = 1e-12,
        Activation = "activation",
        DefaultActivation = "gelu",
        DefaultContext = 512,
        DefaultTied = true,
        Rotary = false,
    }) with
    {
        TypeVocabulary = 0,
    };

    private static EncoderArchitecture Make(string className, EncoderHead head, Action<EncoderWriter> build) =>
        new("distilbert", className, head, HasTypes: false, HasPooler: false, Read, build)
        {
            Rename = EncoderConfigs.RenameNorms,
            LeftOver = ["embeddings.position_ids"],
        };
}
