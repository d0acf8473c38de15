using System.Collections.Frozen;
using System.Reflection;
using System.Text;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// <c>stop_words</c>: takes the words of a list away, <c>language</c> by its two letters. The lists are those of stopwords-iso
/// (MIT). In Chinese and Japanese, which write no blanks, a word goes where it stands alone between blanks.
/// </summary>
internal sealed class StopWordsStep : IPreparationStep
{
    private static readonly Lazy<FrozenDictionary<string, FrozenSet<string>>> Lists = new(Read);

    public string Word => "stop_words";

    /// <summary>The languages that there are lists of.</summary>
    public static IEnumerable<string> Languages => Lists.Value.Keys.Order(StringComparer.Ordinal);

    public IStepRun Begin(StepFields fields, StepPlace place)
    {
        var language = fields.Text("language", "en", 16)!;
        return Lists.Value.TryGetValue(language, out var words)
            ? new Run(words)
            : throw fields.Wrong("language", $"there is no list of '{LlmOs.Infrastructure.Shown.Of(language)}'; expected one of {string.Join(", ", Languages)}.");
    }

    /// <summary>The text without words of the list; the blanks before them go too.</summary>
    public static string Without(string text, IReadOnlySet<string> words)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            var begin = at;
            while (at < text.Length && IsPart(text, at, begin))
            {
                at++;
            }

            if (at == begin)
            {
                result.Append(text[at++]);
            }
            else if (!words.Contains(text[begin..at].ToLowerInvariant().Replace('\u2019', '\'')))
            {
                result.Append(text, begin, at - begin);
            }
            else if (result.Length > 0 && result[^1] == ' ')
            {
                result.Length--;
            }
        }

        return result.ToString().TrimStart(' ');
    }

    /// <summary>Letters, marks and digits; an apostrophe between two of them.</summary>
    private static bool IsPart(string text, int at, int begin) =>
        IsLetter(text, at) || (text[at] is '\'' or '\u2019' && at > begin && at + 1 < text.Length && IsLetter(text, at + 1));

    private static bool IsLetter(string text, int at) =>
        char.IsLetterOrDigit(text[at]) || char.IsSurrogate(text[at])
        || char.GetUnicodeCategory(text[at]) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;

    /// <summary>A line for each language: its letters, a tab, and the words between blanks.</summary>
    private static FrozenDictionary<string, FrozenSet<string>> Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("stop-words.txt")!;
        using var reader = new StreamReader(stream);
        var lists = new Dictionary<string, FrozenSet<string>>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (line.Split('\t') is [var language, var words])
            {
                lists[language] = words.Split(' ').ToFrozenSet(StringComparer.Ordinal);
            }
        }

        return lists.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed class Run(FrozenSet<string> words) : IStepRun
    {
        public string? Apply(PreparedRow row)
        {
            row.Text = Without(row.Text!, words);
            return null;
        }
    }
}
