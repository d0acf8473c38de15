using System.Text.RegularExpressions;

namespace LlmOs.Architecture.Tests.Docs;

/// <summary>What a page of docs/adr says of itself.</summary>
internal static partial class Decisions
{
    /// <summary>The number and title of the first line; null where it is of another form.</summary>
    public static (string Number, string Title)? HeadingOf(string text) =>
        Heading().Match(text) is { Success: true } heading ? (heading.Groups[1].Value, heading.Groups[2].Value.Trim()) : null;

    /// <summary>What follows <c>Status:</c>; null where there is no such line.</summary>
    public static string? StatusOf(string text) => Status().Match(text) is { Success: true } status ? status.Groups[1].Value.Trim() : null;

    [GeneratedRegex(@"\A# (\d{4}) (.+)\n")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^Status: (.+)$", RegexOptions.Multiline)]
    private static partial Regex Status();
}
