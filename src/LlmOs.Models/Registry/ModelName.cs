using System.Text.RegularExpressions;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Registry;

/// <summary>
/// Rules for the names of models and aliases: <c>[a-z0-9][a-z0-9._-]{0,63}</c>, with at most one slash (<c>org/name</c>).
/// Only the names of fine-tuned models, which the platform itself makes, hold colons (<c>ft:base:project:suffix:id</c>).
/// </summary>
public static partial class ModelName
{
    /// <summary>Characters; a path of the API must be able to carry it.</summary>
    private const int MaxFineTuned = 256;

    /// <summary>A name that somebody chose, checked.</summary>
    /// <param name="field">The field of the request it came from.</param>
    /// <exception cref="LlmOsException">400: it is not a name, or it is reserved.</exception>
    public static string Check(string name, string field = "name")
    {
        if (!Plain().IsMatch(name))
        {
            throw LlmOsException.Invalid(field, $"'{Shorten(name)}' is not a model name. Expected lower-case letters, digits, '.', '_' and '-', at most 64, the first a letter or digit; at most one '/' between two such parts.");
        }

        return name == "import" ? throw LlmOsException.Invalid(field, "'import' is reserved; take another name.") : name;
    }

    /// <summary>An alias: like a name's part, but not digits alone, which are a version.</summary>
    /// <exception cref="LlmOsException">400: it is not an alias.</exception>
    public static string CheckAlias(string alias, string field = "alias") =>
        IsAlias(alias)
            ? alias
            : throw LlmOsException.Invalid(field, $"'{Shorten(alias)}' is not an alias. Expected lower-case letters, digits, '.', '_' and '-', at most 64, the first a letter or digit, and not digits alone.");

    /// <summary>Whether a model could be stored under this name, chosen or made.</summary>
    public static bool IsName(string name) => Plain().IsMatch(name) || (name.Length <= MaxFineTuned && FineTuned().IsMatch(name));

    public static bool IsAlias(string alias) => Part().IsMatch(alias) && !alias.All(char.IsAsciiDigit);

    /// <summary>The name in a path of the API, where its slash may arrive as <c>%2F</c> or as itself.</summary>
    public static string FromPath(string value) => value.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>A name as a caller wrote it, for a message.</summary>
    internal static string Shorten(string text) => Shown.Of(text);

    // \z, not $: a line feed at the end is part of no name.
    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}(/[a-z0-9][a-z0-9._-]{0,63})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Part();

    [GeneratedRegex(@"\Aft:[a-z0-9][a-z0-9._/@-]*(:[a-z0-9._-]*){2}:[a-z0-9._-]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex FineTuned();
}
