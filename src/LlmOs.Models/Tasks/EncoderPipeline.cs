using LlmOs.Contracts;
using LlmOs.Engine.Execution;
using LlmOs.Infrastructure;
using LlmOs.Models.Dialects.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tasks;

/// <summary>A task that reads texts.</summary>
/// <param name="Task">Its name in URLs.</param>
/// <param name="Head">The head that a model for it must have; null: any encoder.</param>
/// <param name="Run">Answers a request.</param>
internal sealed record EncoderPipeline(string Task, EncoderHead? Head, Func<EncoderModel, PipelineRequest, CancellationToken, Task<object>> Run)
{
    public static IReadOnlyList<EncoderPipeline> All { get; } =
    [
        new("text-classification", EncoderHead.TextLabels, TextClassification.RunAsync),
        new("zero-shot-classification", EncoderHead.TextLabels, ZeroShot.RunAsync),
        new("token-classification", EncoderHead.TokenLabels, TokenClassification.RunAsync),
        new("fill-mask", EncoderHead.Tokens, FillMask.RunAsync),
        new("question-answering", EncoderHead.Spans, QuestionAnswering.RunAsync),
        new("feature-extraction", null, FeatureExtraction.RunAsync),
        new("sentence-similarity", null, FeatureExtraction.RunSimilarityAsync),
    ];

    /// <summary>Refuses a model whose head is another's.</summary>
    public void Require(EncoderModel model)
    {
        if (Head is { } head && model.Facts.Head != head)
        {
            throw new LlmOsException(ErrorCode.UnsupportedTask, $"The model {model.Facts.Reference} has no head for {Task}.") { Field = "model" };
        }
    }

    /// <summary>Whether a request asks for a cut of what is too long: <c>truncate</c>, or transformers' <c>truncation</c>.</summary>
    public static Truncation TruncationOf(PipelineParameters? parameters)
    {
        var left = parameters?.TruncationDirection switch
        {
            null or "right" or "Right" => false,
            "left" or "Left" => true,
            var other => throw LlmOsException.Invalid("parameters.truncation_direction", $"'parameters.truncation_direction' must be \"left\" or \"right\", not \"{(other.Length > 40 ? other[..40] : other)}\"."),
        };
        return GenerationRules.IsNothing(parameters?.Truncate) && GenerationRules.IsNothing(parameters?.Truncation) ? Truncation.None
            : left ? Truncation.Left
            : Truncation.Right;
    }
}
