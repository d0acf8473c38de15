namespace LlmOs.Web.Language;

/// <content>The words of training and evaluation.</content>
public sealed partial record Texts
{
    public required string TrainHelp { get; init; }

    public required string TrainWhat { get; init; }

    public required string TrainHow { get; init; }

    public required string TrainingText { get; init; }

    public required string TrainingTextHelp { get; init; }

    public required string StartFrom { get; init; }

    public required string FromScratch { get; init; }

    public required string StartFromHelp { get; init; }

    public required string ModelSize { get; init; }

    public required string SizeTiny { get; init; }

    public required string SizeSmall { get; init; }

    public required string SizeMedium { get; init; }

    public required string ShapeFacts { get; init; }

    public required string VocabularyHelp { get; init; }

    public required string Budget { get; init; }

    public required string BudgetSteps { get; init; }

    public required string BudgetMinutes { get; init; }

    public required string BudgetHelp { get; init; }

    public required string LearningRate { get; init; }

    public required string LearningRateHelp { get; init; }

    public required string StartTraining { get; init; }

    public required string EvaluateHelp { get; init; }

    public required string EvaluateWhat { get; init; }

    public required string EvaluateOn { get; init; }

    public required string CompareWith { get; init; }

    public required string NoComparison { get; init; }

    public required string CompareWithHelp { get; init; }

    public required string KindPerplexity { get; init; }

    public required string KindMultipleChoice { get; init; }

    public required string EvaluationTextHelp { get; init; }

    public required string TextTokens { get; init; }

    public required string TextTokensHelp { get; init; }

    public required string Questions { get; init; }

    public required string QuestionsHelp { get; init; }

    public required string QuestionWrong { get; init; }

    public required string StartEvaluation { get; init; }

    public required string Measure { get; init; }

    public required string Perplexity { get; init; }

    public required string BitsPerByte { get; init; }

    public required string ScoredTokens { get; init; }

    public required string Accuracy { get; init; }

    public required string AccuracyNormalised { get; init; }

    public required string Interval { get; init; }

    public required string Difference { get; init; }

    public required string DifferenceFigure { get; init; }

    public required string NatsPerToken { get; init; }

    public required string ShareRight { get; init; }

    public required string DifferenceClear { get; init; }

    public required string DifferenceUnclear { get; init; }

    public required string PromoteNext { get; init; }

    public required string CutsDiffer { get; init; }
}
