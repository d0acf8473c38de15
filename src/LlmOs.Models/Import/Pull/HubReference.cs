using System.Text.RegularExpressions;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import.Pull;

/// <summary>What a <c>hf:</c> source names: a repository of the hub, a revision of it, and a file where the repository offers several models.</summary>
/// <param name="Repository"><c>org/name</c></param>
/// <param name="Revision">A branch, tag or commit.</param>
/// <param name="File">Null lets the repository decide.</param>
internal sealed partial record HubReference(string Repository, string Revision, string? File)
{
    public const string Scheme = "hf:";
    private const string Expected = "Expected: hf:org/name, hf:org/name@revision, or hf:org/name@revision#file.gguf.";

    /// <summary>A repository of rows instead of a model.</summary>
    public bool IsDataset { get; init; }

    /// <exception cref="LlmOsException">400: it names no repository.</exception>
    public static HubReference Parse(string source)
    {
        var match = Form().Match(source);
        return match.Success && !source.Contains("..", StringComparison.Ordinal)
            ? new HubReference(match.Groups["repo"].Value, match.Groups["rev"] is { Success: true } rev ? rev.Value : "main", match.Groups["file"] is { Success: true } file ? file.Value : null)
            : throw LlmOsException.Invalid("source", $"source: '{ModelName.Shorten(source)}' names no repository of the hub. {Expected}");
    }

    /// <summary>As a source, at the commit that was read.</summary>
    public string At(string commit) => $"{Scheme}{Repository}@{commit}{(File is null ? "" : $"#{File}")}";

    [GeneratedRegex(@"\Ahf:(?<repo>[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(@(?<rev>[A-Za-z0-9][A-Za-z0-9._/-]{0,199}))?(#(?<file>[A-Za-z0-9_][A-Za-z0-9._/ -]{0,199}))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
