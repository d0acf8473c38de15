using System.Text.RegularExpressions;

namespace LlmOs.Architecture.Tests.Docs;

/// <summary>The names in a text of the documentation that stand for something in the repository.</summary>
/// <remarks>Placeholders are allowed: <c>{name}</c>, <c>&lt;name&gt;</c> and <c>*</c> stand for one part of a path.</remarks>
internal static partial class DocumentNames
{
    /// <summary>Files and folders: <c>src/LlmOs.Models/Zoo</c>.</summary>
    public static IEnumerable<string> Paths(string text) => Path().Matches(text).Select(m => m.Groups[1].Value.TrimEnd('.', ':', ','));

    /// <summary>Targets of links that lie in the repository.</summary>
    public static IEnumerable<string> Links(string text) => Link().Matches(text).Select(m => m.Groups[1].Value)
        .Where(target => !target.Contains("://", StringComparison.Ordinal) && !target.StartsWith("mailto:", StringComparison.Ordinal));

    /// <summary>Routes, with the method where it stands before them.</summary>
    public static IEnumerable<(string Method, string Path)> Routes(string text) =>
        Route().Matches(text).Select(m => (m.Groups[1].Value, m.Groups[2].Value.TrimEnd('.', ':', ',')));

    /// <summary>Classes of tests: <c>OpenApiTests</c>.</summary>
    public static IEnumerable<string> TestClasses(string text) => TestClass().Matches(text).Select(m => m.Value);

    /// <summary>Environment variables of ours; one that ends in <c>_</c> stands for all that begin so.</summary>
    public static IEnumerable<string> Variables(string text) => Variable().Matches(text).Select(m => m.Value);

    /// <summary>Keys of the configuration, as <c>Section:Key</c> or <c>Section__Key</c>.</summary>
    public static IEnumerable<(string Section, string Key)> Keys(string text, IEnumerable<string> sections) =>
        Regex.Matches(text, $@"(?<!\w)({string.Join('|', sections)})(?::|__)([A-Z]\w+)").Select(m => (m.Groups[1].Value, m.Groups[2].Value));

    /// <summary>Whether a route of the API's document answers at this path, or below it where it ends in a slash (<c>/api/v1/...</c>).</summary>
    public static bool IsRoute((string Method, string Path) named, IEnumerable<(string Method, string Path)> routes)
    {
        if (named.Path.EndsWith('/'))
        {
            return routes.Any(route => route.Path.StartsWith(named.Path, StringComparison.Ordinal));
        }

        var parts = named.Path.Trim('/').Split('/');
        return routes.Any(route =>
        {
            var stated = route.Path.Trim('/').Split('/');
            return stated.Length == parts.Length
                && (named.Method.Length == 0 || named.Method == route.Method)
                && stated.Zip(parts).All(pair => pair.First == pair.Second || pair.First.StartsWith('{'));
        });
    }

    [GeneratedRegex(@"(?<![\w/.~{}-])((?:src|docs|tests|samples|bench|tools|\.ci|\.github)/[\w./*{}<>-]*)")]
    private static partial Regex Path();

    [GeneratedRegex(@"\]\(([^)#\s]+)[^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?:\b(GET|POST|PUT|PATCH|DELETE|HEAD) )?(?<![\w.}>/])(/(?:api/v1|v1|pipeline)/[\w./*{}<>:%-]*)")]
    private static partial Regex Route();

    [GeneratedRegex(@"\b[A-Z]\w+Tests\b")]
    private static partial Regex TestClass();

    [GeneratedRegex(@"\bLLMOS_[A-Z_]+")]
    private static partial Regex Variable();
}
