using LlmOs.Engine.Execution;
using LlmOs.Formats;

namespace LlmOs.Models.Zoo.Blocks;

/// <summary>The heads that encoders of several families share.</summary>
internal static class EncoderHeads
{
    /// <summary>The states, those of sentences where they are others, and where there is one the pooler: tanh of a layer over the first token.</summary>
    public static void WriteStates(this EncoderWriter encoder, string x, string? pooler)
    {
        encoder.Output(x, EncoderNames.LastHiddenState, "B", "S", encoder.Config.Hidden);
        if (encoder.Config.LayerWeights is { } weights)
        {
            encoder.Output(encoder.MixStates(weights), EncoderNames.SentenceStates, "B", "S", encoder.Config.Hidden);
        }

        if (pooler is not null)
        {
            encoder.Output(Pool(encoder, encoder.First(x), pooler), EncoderNames.Pooled, "B", encoder.Config.Hidden);
        }
    }

    /// <summary>tanh(layer(x)).</summary>
    public static string Pool(this EncoderWriter encoder, string x, string layer) =>
        encoder.Writer.Graph.Node("Tanh", [encoder.Writer.Linear(x, layer, encoder.Config.Hidden, encoder.Config.Hidden, bias: true)]);

    /// <summary>A score for each label: of a text [B, H], or of each token [B, S, H].</summary>
    public static void WriteScores(this EncoderWriter encoder, string x, string layer, bool ofTokens)
    {
        var labels = encoder.Config.Labels.Count;
        var scores = encoder.Writer.Linear(x, layer, labels, encoder.Config.Hidden, bias: true);
        if (ofTokens)
        {
            encoder.Output(scores, EncoderNames.Logits, "B", "S", labels);
        }
        else
        {
            encoder.Output(scores, EncoderNames.Logits, "B", labels);
        }
    }

    /// <summary>Start and end scores of an answer: [B, S, 2].</summary>
    public static void WriteSpans(this EncoderWriter encoder, string x, string layer = "qa_outputs")
    {
        var scores = encoder.Writer.Linear(x, layer, 2, encoder.Config.Hidden, bias: true);
        encoder.Output(scores, EncoderNames.Logits, "B", "S", 2);
    }

    /// <summary>Scores of every token for the wanted rows: a layer, an activation, a norm, and a decoder with a bias, which may be tied.</summary>
    /// <param name="activation">Null: the model's own.</param>
    public static void WriteTokens(this EncoderWriter encoder, string x, string dense, string norm, string decoder, Activation? activation = null)
    {
        var (writer, config, width) = (encoder.Writer, encoder.Config, encoder.EmbeddingWidth);
        var rows = encoder.WantedRows(x);                                                                // [N, H]
        var inner = writer.Activate(activation ?? config.Activation, writer.Linear(rows, dense, width, config.Hidden, bias: true)); // [N, E]
        var normed = writer.LayerNorm(inner, norm, width, config.NormEpsilon);
        var scores = writer.Linear(normed, writer.Published(decoder + ".weight", config.Vocabulary, width), writer.Weight(decoder + ".bias", config.Vocabulary));
        encoder.Output(scores, EncoderNames.Logits, "N", config.Vocabulary);
    }
}
