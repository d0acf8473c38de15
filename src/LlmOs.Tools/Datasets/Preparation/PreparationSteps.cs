using LlmOs.Tools.Datasets.Preparation.Steps;

namespace LlmOs.Tools.Datasets.Preparation;

/// <summary>Every kind of step.</summary>
internal static class PreparationSteps
{
    public static IReadOnlyDictionary<string, IPreparationStep> All { get; } = new IPreparationStep[]
    {
        new NormalizeStep(),
        new MarkupStep(),
        new ExactDuplicatesStep(),
        new NearDuplicatesStep(),
        new LanguageStep(),
        new LengthStep(),
        new QualityStep(),
        new LowerCaseStep(),
        new StopWordsStep(),
        new SegmentStep(),
        new StemStep(),
        new PiiStep(),
        new SplitStep(),
        new RowsStep(),
    }.ToDictionary(step => step.Word, StringComparer.Ordinal);
}
