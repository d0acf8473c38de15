namespace LlmOs.Web.Language;

/// <content>The words of applications.</content>
public sealed partial record Texts
{
    public required string AppMade { get; init; }

    public required string AppKey { get; init; }

    public required string NoAppsYet { get; init; }

    public required string Templates { get; init; }

    public required string Actions { get; init; }

    public required string Delete { get; init; }

    public required string ReallyDelete { get; init; }

    public required string DeleteApp { get; init; }

    public required string Slug { get; init; }

    public required string SlugHelp { get; init; }

    public required string MakeApp { get; init; }

    public required string UseTemplate { get; init; }
}
