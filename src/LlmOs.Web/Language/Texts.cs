using System.Globalization;
using LlmOs.Contracts;

namespace LlmOs.Web.Language;

/// <summary>
/// Every word that the console shows. A text that a language lacks does not compile: each property is required.
/// Places in braces are filled by <see cref="Fill"/>.
/// </summary>
public sealed partial record Texts
{
    private CultureInfo? _culture;

    /// <param name="language">A key of <see cref="PageLanguages.All"/>; another one gives English.</param>
    public static Texts Of(string language) => language == PageLanguages.Chinese ? Chinese : English;

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

    public required string SignInAgain { get; init; }

    public required string NoSuchPage { get; init; }

    public required string NoSuchPageHelp { get; init; }

    public required string TooManyWrongSecrets { get; init; }

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
}
