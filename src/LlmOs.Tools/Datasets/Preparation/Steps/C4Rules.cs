using System.Text.RegularExpressions;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// The filters of C4 (Raffel et al. 2020, section 2.2): lines without an end of a sentence, with fewer than three words, with
/// JavaScript or with notices go; a text goes that holds a curly bracket or placeholder text, or keeps fewer than five sentences.
/// </summary>
/// <remarks>Differs: its list of offensive words is not applied, and duplicates of three sentences are left to the steps for duplicates.</remarks>
internal static partial class C4Rules
{
    private const int MinWords = 3;
    private const int MinSentences = 5;

    private static readonly string[] Notices = ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];

    /// <returns>What is left of the text, or the rule that drops it.</returns>
    public static (string Text, string? Fault) Apply(string text)
    {
        if (text.Contains("lorem ipsum", StringComparison.OrdinalIgnoreCase))
        {
            return (text, "lorem_ipsum");
        }

        if (text.Contains('{', StringComparison.Ordinal))
        {
            return (text, "curly_bracket");
        }

        var kept = string.Join('\n', text.ReplaceLineEndings("\n").Split('\n').Select(line => Citation().Replace(line, "").Trim()).Where(IsKept));
        return SentenceEnd().Count(kept) < MinSentences ? (text, "too_few_sentences") : (kept, null);
    }

    private static bool IsKept(string line) =>
        line.Length > 0
        && line[^1] is ('.' or '!' or '?' or '"')
        && !line.EndsWith("...", StringComparison.Ordinal)
        && TextWords.Count(line) >= MinWords
        && !line.Contains("javascript", StringComparison.OrdinalIgnoreCase)
        && !Notices.Any(notice => line.Contains(notice, StringComparison.OrdinalIgnoreCase));

    /// <summary>Wikipedia's marks: [1], [edit], [citation needed].</summary>
    [GeneratedRegex(@"\[(\d{1,4}|edit|citation needed)\]")]
    private static partial Regex Citation();

    [GeneratedRegex("""[.!?]+["')\]]*(?=\s|$)""")]
    private static partial Regex SentenceEnd();
}
