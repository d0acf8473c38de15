using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Registry.Cards;

/// <summary>Reads a model card: what its front matter states, what a card should state and this one does not, and its text as safe HTML.</summary>
internal static partial class ModelCards
{
    /// <summary>Characters.</summary>
    public const int MaxCharacters = 256 << 10;

    /// <summary>What a card should tell, and the headings or keys that show that it does.</summary>
    private static readonly (string What, string[] Keys, string[] Words)[] Parts =
    [
        ("license", ["license", "license_name"], ["license", "licence"]),
        ("languages", ["language", "languages"], ["language"]),
        ("data", ["datasets", "dataset"], ["data", "corpus", "corpora"]),
        ("metrics", ["metrics", "model-index"], ["evaluation", "metric", "result", "benchmark", "performance"]),
        ("limits", [], ["limit", "bias", "risk", "out-of-scope", "caveat"]),
    ];

    /// <summary>A card as the API shows it. Whatever it holds, it is shown; what is wrong is listed.</summary>
    /// <param name="render">Makes HTML of the text after the front matter; null for what cannot be shown so.</param>
    public static async Task<CardView> ReadAsync(string model, string markdown, string source, Func<string, Task<string?>> render)
    {
        var (front, body, problem) = FrontMatter.Split(markdown);
        List<string> problems = problem is null ? [] : [problem];
        var html = body.Length <= MaxCharacters ? await render(body) : null;
        if (html is null)
        {
            problems.Add("The text is too long, too dense with marks or nested too deeply to be shown as HTML.");
        }

        var headings = Headings(body);
        return new CardView(
            model,
            source,
            markdown,
            html,
            new CardFacts(First(front["license"]), [.. front["language"].Concat(front["languages"])], front["datasets"], front["metrics"], front["base_model"], front["tags"], First(front["pipeline_tag"])),
            [.. Parts.Where(p => !p.Keys.Any(front.Has) && !headings.Any(h => p.Words.Any(w => h.Contains(w, StringComparison.Ordinal)))).Select(p => p.What)],
            problems);
    }

    /// <summary>Refuses a card that could not be shown, before it is stored.</summary>
    /// <param name="render">As above.</param>
    /// <exception cref="LlmOsException">400: the front matter cannot be read, a fact of it is none, or the text cannot be rendered.</exception>
    public static async Task CheckAsync(string markdown, string field, Func<string, Task<string?>> render)
    {
        var (front, body, problem) = FrontMatter.Split(markdown);
        if (problem is not null)
        {
            throw LlmOsException.Invalid(field, $"{field}: {problem}");
        }

        if (First(front["license"]) is { Length: > 128 })
        {
            throw LlmOsException.Invalid(field, $"{field}: the license is a word such as apache-2.0, at most 128 characters.");
        }

        if (front["language"].FirstOrDefault(l => !Language().IsMatch(l)) is { } language)
        {
            throw LlmOsException.Invalid(field, $"{field}: '{ModelName.Shorten(language)}' is not a language; expected codes such as en, de or zh-Hans.");
        }

        if (await render(body) is null)
        {
            throw LlmOsException.Invalid(field, $"{field}: the text is nested too deeply, or too dense with marks: split its longest paragraph or table by empty lines.");
        }
    }

    private static string? First(IReadOnlyList<string> values) => values.Count > 0 ? values[0] : null;

    /// <summary>Lines that are headings in either form of Markdown, in small letters.</summary>
    private static List<string> Headings(string body)
    {
        var lines = body.Split('\n');
        return [.. lines.Where((line, i) => line.StartsWith('#') || (i + 1 < lines.Length && IsUnderline(lines[i + 1]))).Select(line => line.ToLowerInvariant())];

        static bool IsUnderline(string line) => line.TrimEnd() is { Length: >= 3 } rule && (rule.All(c => c == '=') || rule.All(c => c == '-'));
    }

    [GeneratedRegex(@"\A[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*\z")]
    private static partial Regex Language();
}
