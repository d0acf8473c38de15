using LlmOs.Infrastructure.Jobs;

namespace LlmOs.Tools.Evaluation;

/// <summary>What evaluations say.</summary>
internal static class EvaluationCodes
{
    public static readonly JobCode Window = new("window", "window {window} of {windows}");
    public static readonly JobCode Row = new("row", "row {row} of {rows}");
}
