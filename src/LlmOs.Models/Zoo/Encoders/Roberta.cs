using LlmOs.Engine.Execution;
using LlmOs.Formats;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo.Encoders;

/// <summary>
/// RoBERTa (arXiv 1907.11692) and XLM-R (arXiv 1911.02116): BERT whose positions are counted from the padding id on, with
/// heads of its own. Its numbers are those of transformers' Roberta and XLMRoberta classes.
/// </summary>
internal static class Roberta
{
    private const string Body = "roberta.";

    public static IReadOnlyList<Architecture> Architectures { get; } = [.. Family("roberta", "Roberta"), .. Family("xlm-roberta", "XLMRoberta")];

    private static IEnumerable<Architecture> Family(string type, string name)
    {
        EncoderArchitecture Make(string end, EncoderHead head, bool pooler, Action<EncoderWriter> build) => new(type, name + end, head, HasTypes: true, pooler, Read, build)
        {
            Rename = EncoderConfigs.RenameNorms,
            LeftOver = ["embeddings.position_ids", "roberta.pooler.*"],
        };

        yield return Make("Model", EncoderHead.None, pooler: true, e => e.WriteStates(States(e), Body + "pooler.dense")) with
        {
            Rename = n => EncoderConfigs.RenameNorms(n.StartsWith(Body, StringComparison.Ordinal) || n.StartsWith("lm_head.", StringComparison.Ordinal) ? n : Body + n),
            LeftOver = ["embeddings.position_ids", "lm_head.*"],
        };
        yield return Make("ForMaskedLM", EncoderHead.Tokens, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteTokens(x, "lm_head.dense", "lm_head.layer_norm", "lm_head.decoder");
        }) with
        {
            Ties = EncoderConfigs.TiedTokens(Body + "embeddings.word_embeddings.weight", "lm_head.decoder", "lm_head.bias"),
        };
        yield return Make("ForSequenceClassification", EncoderHead.TextLabels, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(e.Pool(e.First(x), "classifier.dense"), "classifier.out_proj", ofTokens: false);
        });
        yield return Make("ForTokenClassification", EncoderHead.TokenLabels, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteScores(x, "classifier", ofTokens: true);
        });
        yield return Make("ForQuestionAnswering", EncoderHead.Spans, pooler: false, e =>
        {
            var x = States(e);
            e.WriteStates(x, pooler: null);
            e.WriteSpans(x);
        });
    }

    private static ModelConfig Read(ConfigJson json)
    {
        var config = EncoderConfigs.Read(json, EncoderConfigs.Bert);
        // The table's first rows belong to the padding id and those before it: a text may be that much shorter.
        var used = (config.PadToken ?? 1) + 1;
        return config.ContextLength > used
            ? config with { PadToken = config.PadToken ?? 1, ContextLength = config.ContextLength - used }
            : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{json.File}: 'max_position_embeddings' ({config.ContextLength}) leaves no place after the padding id.");
    }

    private static string States(EncoderWriter encoder)
    {
        var padding = encoder.Config.PadToken!.Value;
        var positions = encoder.EmbedCountedPositions(Body + "embeddings.position_embeddings", encoder.Config.ContextLength + padding + 1, padding);
        var x = encoder.Writer.Add(encoder.Embed(Body + "embeddings.word_embeddings"), positions);
        return Bert.Layers(encoder, Body, encoder.Writer.Add(x, encoder.EmbedTypes(Body + "embeddings.token_type_embeddings")));
    }
}
