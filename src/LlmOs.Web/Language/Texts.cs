using System.Globalization;

namespace LlmOs.Web.Language;

/// <summary>
/// Every word that the console shows. A text that a language lacks does not compile: each property is required.
/// Places in braces are filled by <see cref="Fill"/>.
/// </summary>
public sealed partial record Texts
{
    private CultureInfo? _culture;

    /// <summary>What languages there are, by their tag, each named in itself.</summary>
    public static IReadOnlyDictionary<string, string> Languages { get; } = new Dictionary<string, string> { ["en"] = "English", ["zh-Hans"] = "简体中文" };

    /// <param name="language">A key of <see cref="Languages"/>; another one gives English.</param>
    public static Texts Of(string language) => language == "zh-Hans" ? Chinese : English;

    /// <summary>The language of a browser's <c>Accept-Language</c> that there is; the first named wins.</summary>
    public static string Preferred(string acceptLanguage)
    {
        foreach (var part in acceptLanguage.Split(',', StringSplitOptions.TrimEntries))
        {
            var tag = part.Split(';')[0];
            if (tag.StartsWith("zh", StringComparison.OrdinalIgnoreCase))
            {
                return "zh-Hans";
            }

            if (tag.StartsWith("en", StringComparison.OrdinalIgnoreCase))
            {
                return "en";
            }
        }

        return "en";
    }

    /// <summary>Puts values into a text's places.</summary>
    public string Fill(string text, params object[] values) => string.Format(_culture ??= CultureInfo.GetCultureInfo(Tag), text, values);

    public required string Tag { get; init; }

    public required string Overview { get; init; }

    public required string TierInfrastructure { get; init; }

    public required string TierModels { get; init; }

    public required string TierTools { get; init; }

    public required string TierApps { get; init; }

    public required string Jobs { get; init; }

    public required string Job { get; init; }

    public required string Nodes { get; init; }

    public required string Models { get; init; }

    public required string Model { get; init; }

    public required string Playground { get; init; }

    public required string Train { get; init; }

    public required string Evaluate { get; init; }

    public required string Apps { get; init; }

    public required string Navigation { get; init; }

    public required string Menu { get; init; }

    public required string SkipToContent { get; init; }

    public required string Language { get; init; }

    public required string UseDark { get; init; }

    public required string UseLight { get; init; }

    public required string SignOut { get; init; }

    public required string SignedInAs { get; init; }

    public required string SignIn { get; init; }

    public required string Key { get; init; }

    public required string KeyHelp { get; init; }

    public required string KeyRefused { get; init; }

    public required string TooManyWrongKeys { get; init; }

    public required string Reconnecting { get; init; }

    public required string ConnectionLost { get; init; }

    public required string Reload { get; init; }

    public required string PageBroke { get; init; }

    public required string LoadedModels { get; init; }

    public required string RunningJobs { get; init; }

    public required string ReadyNodes { get; init; }

    public required string FirstSteps { get; init; }

    public required string StepTalk { get; init; }

    public required string StepImport { get; init; }

    public required string StepTrain { get; init; }

    public required string StepApp { get; init; }

    public required string StepApi { get; init; }

    public required string LatestJobs { get; init; }

    public required string NoJobsYet { get; init; }

    public required string NoJobsOfState { get; init; }

    public required string All { get; init; }

    public required string Kind { get; init; }

    public required string State { get; init; }

    public required string Progress { get; init; }

    public required string Created { get; init; }

    public required string Finished { get; init; }

    public required string More { get; init; }

    public required string StateQueued { get; init; }

    public required string StateRunning { get; init; }

    public required string StatePausing { get; init; }

    public required string StatePaused { get; init; }

    public required string StateSucceeded { get; init; }

    public required string StateFailed { get; init; }

    public required string StateCancelled { get; init; }

    public required string JobProgressOf { get; init; }

    public required string TimeLeft { get; init; }

    public required string Pause { get; init; }

    public required string Resume { get; init; }

    public required string Cancel { get; init; }

    public required string Retry { get; init; }

    public required string Result { get; init; }

    public required string TryIt { get; init; }

    public required string LossCurve { get; init; }

    public required string TrainingLoss { get; init; }

    public required string ValidationLoss { get; init; }

    public required string NoCurveYet { get; init; }

    public required string CurveDescription { get; init; }

    public required string Facts { get; init; }

    public required string Id { get; init; }

    public required string Attempt { get; init; }

    public required string Node { get; init; }

    public required string Specification { get; init; }

    public required string Log { get; init; }

    public required string NoLog { get; init; }

    public required string Name { get; init; }

    public required string Roles { get; init; }

    public required string Processors { get; init; }

    public required string Memory { get; init; }

    public required string LastSeen { get; init; }

    public required string NodeReady { get; init; }

    public required string NodeDraining { get; init; }

    public required string NodeLost { get; init; }

    public required string ImportModel { get; init; }

    public required string Import { get; init; }

    public required string Source { get; init; }

    public required string SourceHelp { get; init; }

    public required string NameHelp { get; init; }

    public required string ShowJob { get; init; }

    public required string Search { get; init; }

    public required string NoModelsYet { get; init; }

    public required string NoModelMatches { get; init; }

    public required string Task { get; init; }

    public required string Versions { get; init; }

    public required string Version { get; init; }

    public required string VersionNumber { get; init; }

    public required string Aliases { get; init; }

    public required string Alias { get; init; }

    public required string AliasesHelp { get; init; }

    public required string PointAt { get; init; }

    public required string PointAliasAt { get; init; }

    public required string NewAlias { get; init; }

    public required string AliasSet { get; init; }

    public required string Add { get; init; }

    public required string VersionReady { get; init; }

    public required string VersionImporting { get; init; }

    public required string VersionFailed { get; init; }

    public required string VersionArchived { get; init; }

    public required string Architecture { get; init; }

    public required string Parameters { get; init; }

    public required string ContextLength { get; init; }

    public required string Vocabulary { get; init; }

    public required string Precision { get; init; }

    public required string Size { get; init; }

    public required string License { get; init; }

    public required string NotStated { get; init; }

    public required string Parity { get; init; }

    public required string ParityFigure { get; init; }

    public required string Parent { get; init; }

    public required string MadeBy { get; init; }

    public required string Measured { get; init; }

    public required string File { get; init; }

    public required string FileCount { get; init; }

    public required string Mode { get; init; }

    public required string Chat { get; init; }

    public required string Completion { get; init; }

    public required string Conversation { get; init; }

    public required string Message { get; init; }

    public required string SendHelp { get; init; }

    public required string Send { get; init; }

    public required string Continue { get; init; }

    public required string Stop { get; init; }

    public required string Stopped { get; init; }

    public required string StartOver { get; init; }

    public required string Prompt { get; init; }

    public required string RequestParameters { get; init; }

    public required string SystemMessage { get; init; }

    public required string MaxTokens { get; init; }

    public required string Temperature { get; init; }

    public required string TemperatureHelp { get; init; }

    public required string TopP { get; init; }

    public required string Seed { get; init; }

    public required string SeedHelp { get; init; }

    public required string LiveFigures { get; init; }

    public required string UsageFigures { get; init; }

    public required string ShowAs { get; init; }

    public required string Copy { get; init; }

    public required string Copied { get; init; }

    public required string SampleQuestion { get; init; }

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

    public required string AppMade { get; init; }

    public required string AppKey { get; init; }

    public required string NoAppsYet { get; init; }

    public required string Template { get; init; }

    public required string Templates { get; init; }

    public required string Page { get; init; }

    public required string Actions { get; init; }

    public required string Delete { get; init; }

    public required string ReallyDelete { get; init; }

    public required string DeleteApp { get; init; }

    public required string Slug { get; init; }

    public required string SlugHelp { get; init; }

    public required string MakeApp { get; init; }

    public required string UseTemplate { get; init; }

    public required string EvaluateHelp { get; init; }

    public required string EvaluateWhat { get; init; }

    public required string EvaluateOn { get; init; }

    public required string CompareWith { get; init; }

    public required string NoComparison { get; init; }

    public required string CompareWithHelp { get; init; }

    public required string KindPerplexity { get; init; }

    public required string KindMultipleChoice { get; init; }

    public required string EvaluationTextHelp { get; init; }

    public required string MostTokens { get; init; }

    public required string MostTokensHelp { get; init; }

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

    public required string Lineage { get; init; }

    public required string LineageOf { get; init; }

    public required string InWords { get; init; }

    public required string Dataset { get; init; }

    public required string Evaluation { get; init; }

    public required string Card { get; init; }

    public required string SecondModel { get; init; }

    public required string NoSecondModel { get; init; }

    public required string ShowTokens { get; init; }

    public required string ShowTokensHelp { get; init; }

    public required string TokenLikely { get; init; }

    public required string CompareRuns { get; init; }

    public required string Compare { get; init; }

    public required string CompareRun { get; init; }

    public required string CompareHelp { get; init; }

    public required string FiguresAndSettings { get; init; }

    public required string DifferentSettings { get; init; }

    public required string TimeTaken { get; init; }

    public required string TokensPerSecond { get; init; }

    public required string Samples { get; init; }

    public required string NoSampleYet { get; init; }

    public required string SamplesHelp { get; init; }

    public required string AtStep { get; init; }

    public required string KnownModels { get; init; }

    public required string KnownModelsHelp { get; init; }

    public required string Download { get; init; }

    public required string Choose { get; init; }

    public required string ChooseModel { get; init; }
}
