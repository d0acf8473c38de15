using System.Globalization;
using System.Text.RegularExpressions;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Datasets;

/// <summary>Names of data sets, <c>[a-z0-9][a-z0-9._-]{0,63}</c>, and references to versions, <c>name:3</c>.</summary>
internal static partial class DatasetName
{
    /// <exception cref="LlmOsException">400: it is not a name.</exception>
    public static string Check(string? name, string field)
    {
        if (name is null || !Plain().IsMatch(name))
        {
            throw LlmOsException.Invalid(field, $"'{Shown.Of(name ?? "")}' is not the name of a data set. Expected lower-case letters, digits, '.', '_' and '-', at most 64, the first a letter or digit.");
        }

        return name;
    }

    /// <summary>The two parts of <c>name:3</c>; the number is null where it is left out: the newest version is meant.</summary>
    /// <exception cref="LlmOsException">400: it is not a reference.</exception>
    public static (string Name, int? Number) Parse(string reference, string field)
    {
        var at = reference.IndexOf(':', StringComparison.Ordinal);
        var name = Check(at < 0 ? reference : reference[..at], field);
        return at < 0 ? (name, null)
            : int.TryParse(reference.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? (name, number)
            : throw LlmOsException.Invalid(field, $"'{Shown.Of(reference)}' is not a version of a data set. Expected: name:3.");
    }

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Plain();
}
