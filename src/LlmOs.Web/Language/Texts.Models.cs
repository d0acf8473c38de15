namespace LlmOs.Web.Language;

/// <content>The words of models and the playground.</content>
public sealed partial record Texts
{
    public required string ImportModel { get; init; }

    public required string Import { get; init; }

    public required string Source { get; init; }

    public required string SourceHelp { get; init; }

    public required string NameHelp { get; init; }

    public required string ShowJob { get; init; }

    public required string Search { get; init; }

    public required string NoVersionsYet { get; init; }

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

    public required string KnownModels { get; init; }

    public required string KnownModelsHelp { get; init; }

    public required string Download { get; init; }

    public required string Choose { get; init; }

    public required string ChooseModel { get; init; }
}
