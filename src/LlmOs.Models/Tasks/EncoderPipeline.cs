using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Execution;
using LlmOs.Infrastructure;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>A task that reads texts.</summary>
/// <param name="Task">Its name in URLs.</param>
/// <param name="Head">The head that a model for it must have; null: any encoder.</param>
/// <param name="Run">Answers a request.</param>
/// <param name="Example">A body, for the documentation.</param>
/// <param name="Models">The task that models for it are listed under; null: the same.</param>
/// <param name="Asks">A field of the inputs that asks such a model for this task; null where nothing in the inputs does.</param>
internal sealed record EncoderPipeline(string Task, EncoderHead? Head, Func<EncoderModel, PipelineRequest, CancellationToken, Task<object>> Run, string Example, string? Models = null, string? Asks = null)
{
    public static IReadOnlyList<EncoderPipeline> All { get; } =
    [
        new("text-classification", EncoderHead.TextLabels, TextClassification.RunAsync, """{"inputs":"I love thee well!","parameters":{"top_k":2}}"""),
        new("zero-shot-classification", EncoderHead.TextLabels, ZeroShot.RunAsync, """{"inputs":"I love thee well!","parameters":{"candidate_labels":["war","love"]}}""", "text-classification"),
        new("token-classification", EncoderHead.TokenLabels, TokenClassification.RunAsync, """{"inputs":"Caius Marcius went to Rome.","parameters":{"aggregation_strategy":"simple"}}"""),
        new("fill-mask", EncoderHead.Tokens, FillMask.RunAsync, """{"inputs":"We are accounted poor [MASK].","parameters":{"top_k":3}}"""),
        new("question-answering", EncoderHead.Spans, QuestionAnswering.RunAsync, """{"inputs":{"question":"Who is the enemy?","context":"Caius Marcius is chief enemy to the people."}}"""),
        new("feature-extraction", null, FeatureExtraction.RunAsync, """{"inputs":"I love thee well!"}"""),
        new("sentence-similarity", null, FeatureExtraction.RunSimilarityAsync, """{"inputs":{"source_sentence":"We are poor.","sentences":["They are rich.","We are poor."]}}""", "feature-extraction", "source_sentence"),
        new("text-ranking", null, TextRanking.RunAsync, """{"inputs":{"query":"Who is poor?","texts":["They are rich.","We are poor."]}}""", "feature-extraction", "query"),
    ];

    /// <summary>Whether a request's inputs ask a model, listed under its own task, for this one.</summary>
    public bool IsAskedOf(string modelTask, JsonElement inputs) =>
        Asks is not null && Models == modelTask && inputs.ValueKind == JsonValueKind.Object && inputs.TryGetProperty(Asks, out _);

    /// <summary>Refuses a model whose head is another's.</summary>
    public void Require(EncoderModel model)
    {
        if (Head is { } head && model.Facts.Head != head)
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model {model.Facts.Reference} has no head for {Task}.") { Field = "model" };
        }
    }

    /// <summary>Whether a request asks for a cut of what is too long, and of which text: <c>truncate</c>, or transformers' <c>truncation</c>.</summary>
    public static TextCut CutOf(PipelineParameters? parameters)
    {
        var left = parameters?.TruncationDirection switch
        {
            null or "right" or "Right" => false,
            "left" or "Left" => true,
            var other => throw LlmOsException.Invalid("parameters.truncation_direction", $"'parameters.truncation_direction' must be \"left\" or \"right\", not \"{(other.Length > 40 ? other[..40] : other)}\"."),
        };
        var cut = Asked("truncate", parameters?.Truncate) ?? Asked("truncation", parameters?.Truncation);
        return cut is { } which ? new TextCut(left ? Truncation.Left : Truncation.Right, which) : TextCut.None;
    }

    /// <summary>Which of two texts is to be cut; null for no cut.</summary>
    private static CutText? Asked(string name, JsonElement? stated)
    {
        const string Words = "true, false, \"longest_first\", \"only_first\", \"only_second\" or \"do_not_truncate\"";
        return stated switch
        {
            null or { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined or JsonValueKind.False } => null,
            { ValueKind: JsonValueKind.True } => CutText.LongestFirst,
            { ValueKind: JsonValueKind.String } word => word.GetString() switch
            {
                "do_not_truncate" => null,
                "longest_first" => CutText.LongestFirst,
                "only_first" => CutText.OnlyFirst,
                "only_second" => CutText.OnlySecond,
                _ => throw LlmOsException.Invalid($"parameters.{name}", $"'parameters.{name}' must be {Words}."),
            },
            _ => throw LlmOsException.Invalid($"parameters.{name}", $"'parameters.{name}' must be {Words}."),
        };
    }
}
