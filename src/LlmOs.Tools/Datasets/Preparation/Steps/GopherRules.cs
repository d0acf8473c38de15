namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>The document filters of Gopher (Rae et al. 2021, arXiv 2112.11446, appendix A.1.1): quality, then repetition (table A1).</summary>
internal static class GopherRules
{
    private static readonly HashSet<string> Usual = new(["the", "be", "to", "of", "and", "that", "have", "with"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Share of the characters that the most frequent run of so many words may have.</summary>
    private static readonly (int Words, double Share)[] TopRuns = [(2, 0.20), (3, 0.18), (4, 0.16)];

    /// <summary>Share of the characters that runs of so many words may have which stand more than once.</summary>
    private static readonly (int Words, double Share)[] RepeatedRuns = [(5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10)];

    /// <returns>The rule that the text breaks; null where it breaks none.</returns>
    public static string? Fault(string text)
    {
        var words = TextWords.Of(text);
        return Quality(text, words) ?? Repetition(text, words);
    }

    private static string? Quality(string text, IReadOnlyList<string> words)
    {
        if (words.Count is < 50 or > 100_000)
        {
            return "word_count";
        }

        if (words.Average(w => w.Length) is < 3 or > 10)
        {
            return "mean_word_length";
        }

        if (words.Count(w => w.StartsWith('#')) > 0.1 * words.Count || words.Count(w => w.EndsWith("...", StringComparison.Ordinal) || w.EndsWith('…')) > 0.1 * words.Count)
        {
            return "symbol_to_word_ratio";
        }

        var lines = Lines(text);
        if (lines.Count(l => l.TrimStart() is ['•' or '-' or '*', ..]) > 0.9 * lines.Count)
        {
            return "bullet_lines";
        }

        if (lines.Count(l => l.TrimEnd() is var end && (end.EndsWith("...", StringComparison.Ordinal) || end.EndsWith('…'))) > 0.3 * lines.Count)
        {
            return "ellipsis_lines";
        }

        if (words.Count(w => w.Any(char.IsLetter)) < 0.8 * words.Count)
        {
            return "alphabetic_words";
        }

        return words.Select(w => w.Trim('.', ',', ';', ':', '!', '?', '"', '\'', '(', ')')).Where(Usual.Contains).Distinct(StringComparer.OrdinalIgnoreCase).Count() < 2 ? "stop_words" : null;
    }

    private static string? Repetition(string text, IReadOnlyList<string> words)
    {
        if (Repeats(Lines(text)) is var (lines, lineCharacters) && (lines > 0.30 || lineCharacters > 0.20))
        {
            return lines > 0.30 ? "duplicate_lines" : "duplicate_line_characters";
        }

        var paragraphs = text.ReplaceLineEndings("\n").Split("\n\n").Select(p => p.Trim()).Where(p => p.Length > 0).ToList();
        if (Repeats(paragraphs) is var (parts, partCharacters) && (parts > 0.30 || partCharacters > 0.20))
        {
            return parts > 0.30 ? "duplicate_paragraphs" : "duplicate_paragraph_characters";
        }

        var total = (double)words.Sum(w => w.Length);
        foreach (var (length, share) in TopRuns)
        {
            if (TopCharacters(words, length) > share * total)
            {
                return $"top_{length}_gram";
            }
        }

        foreach (var (length, share) in RepeatedRuns)
        {
            if (RepeatedCharacters(words, length) > share * total)
            {
                return $"duplicate_{length}_grams";
            }
        }

        return null;
    }

    /// <summary>Of parts that stand more than once, all but the first: their share of the parts, and of the characters.</summary>
    private static (double Parts, double Characters) Repeats(List<string> parts)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var repeated = parts.Where(part => !seen.Add(part)).ToList();
        return (repeated.Count / (double)Math.Max(1, parts.Count), repeated.Sum(p => p.Length) / (double)Math.Max(1, parts.Sum(p => p.Length)));
    }

    private static long TopCharacters(IReadOnlyList<string> words, int length)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var at = 0; at + length <= words.Count; at++)
        {
            var run = Run(words, at, length);
            counts[run] = counts.GetValueOrDefault(run) + 1;
        }

        return counts.Where(c => c.Value > 1).Select(c => (long)(c.Key.Length - length + 1) * c.Value).DefaultIfEmpty(0).Max();
    }

    /// <summary>Characters of words that lie in a run which stands more than once; each word counts once.</summary>
    private static long RepeatedCharacters(IReadOnlyList<string> words, int length)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var isRepeated = new bool[words.Count];
        for (var at = 0; at + length <= words.Count; at++)
        {
            var run = Run(words, at, length);
            if (!places.TryAdd(run, at))
            {
                Array.Fill(isRepeated, true, at, length);
            }
        }

        return words.Where((_, at) => isRepeated[at]).Sum(w => (long)w.Length);
    }

    private static string Run(IReadOnlyList<string> words, int at, int length)
    {
        var run = new string[length];
        for (var word = 0; word < length; word++)
        {
            run[word] = words[at + word];
        }

        return string.Join(' ', run);
    }

    private static List<string> Lines(string text) => [.. text.ReplaceLineEndings("\n").Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0)];
}
