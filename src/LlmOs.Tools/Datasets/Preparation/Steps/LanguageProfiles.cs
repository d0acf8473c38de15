using System.Globalization;
using System.Reflection;
using System.Text;

namespace LlmOs.Tools.Datasets.Preparation.Steps;

/// <summary>
/// Tells the language of a text: by its script, then by runs of one to three characters (naive Bayes, after Dunning 1994). The
/// profiles are counted in two of three articles of the Universal Declaration of Human Rights, which is in the public domain.
/// </summary>
internal sealed class LanguageProfiles
{
    /// <summary>Characters that are looked at; more change nothing.</summary>
    private const int MaxCharacters = 2_000;

    private const int MaxRun = 3;

    /// <summary>Of a run that a profile lacks: 16 times the logarithm of 20,000.</summary>
    private const short Unknown = 158;

    /// <summary>A character of Chinese counts as much as a short word.</summary>
    private const int HanWeight = 3;

    private static readonly Lazy<LanguageProfiles> Shipped = new(Read);

    private readonly Dictionary<string, short[]>.AlternateLookup<ReadOnlySpan<char>> _costs;
    private readonly string[] _languages;
    private readonly int[] _scripts;

    private LanguageProfiles(Dictionary<string, short[]> costs, string[] languages, int[] scripts) =>
        (_costs, _languages, _scripts) = (costs.GetAlternateLookup<ReadOnlySpan<char>>(), languages, scripts);

    public static LanguageProfiles Default => Shipped.Value;

    public IReadOnlyList<string> Languages => _languages;

    /// <returns>Two letters of ISO 639-1; null where the text has no letters of a script that is known.</returns>
    public string? Find(string text)
    {
        var plain = Plain(text);
        if (ScriptOf(plain) is not { } script)
        {
            return null;
        }

        var sums = new long[_languages.Length];
        for (var length = 1; length <= MaxRun; length++)
        {
            for (var at = 0; at + length <= plain.Length; at++)
            {
                var run = plain.AsSpan(at, length);
                if (run.IsWhiteSpace())
                {
                    continue;
                }

                _costs.TryGetValue(run, out var costs);
                for (var language = 0; language < sums.Length; language++)
                {
                    sums[language] += costs is null ? Unknown : costs[language];
                }
            }
        }

        var best = -1;
        for (var language = 0; language < sums.Length; language++)
        {
            if (_scripts[language] == script && (best < 0 || sums[language] < sums[best]))
            {
                best = language;
            }
        }

        return best < 0 ? null : _languages[best];
    }

    /// <summary>Small letters, and one blank for all else, also at both ends.</summary>
    private static string Plain(string text)
    {
        var source = (text.Length > MaxCharacters ? text[..(char.IsHighSurrogate(text[MaxCharacters - 1]) ? MaxCharacters - 1 : MaxCharacters)] : text).Normalize().ToLowerInvariant();
        var plain = new StringBuilder(" ", source.Length + 2);
        foreach (var rune in source.EnumerateRunes())
        {
            if (Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)
            {
                plain.Append(rune);
            }
            else if (plain[^1] != ' ')
            {
                plain.Append(' ');
            }
        }

        return plain[^1] == ' ' ? plain.ToString() : plain.Append(' ').ToString();
    }

    /// <summary>The script of most letters; Chinese characters with a part of kana are Japanese.</summary>
    private static int? ScriptOf(string text)
    {
        var counts = new Dictionary<int, int>();
        foreach (var rune in text.EnumerateRunes().Where(Rune.IsLetter))
        {
            var script = ScriptOf(rune.Value);
            counts[script] = counts.GetValueOrDefault(script) + (script == Han ? HanWeight : 1);
        }

        if (counts.Count == 0)
        {
            return null;
        }

        var most = counts.MaxBy(c => (c.Value, -c.Key)).Key;
        return most is Han or Kana ? counts.GetValueOrDefault(Kana) * 10 >= counts.GetValueOrDefault(Han) / HanWeight ? Kana : Han : most;
    }

    private const int Latin = -1, Greek = -2, Han = -3, Kana = -4, Hangul = -5;

    /// <summary>The great scripts by name; the others are told apart by blocks of 128 characters.</summary>
    private static int ScriptOf(int point) => point switch
    {
        < 0x250 or (>= 0x1E00 and <= 0x1EFF) => Latin,
        (>= 0x370 and <= 0x3FF) or (>= 0x1F00 and <= 0x1FFF) => Greek,
        (>= 0x3040 and <= 0x30FF) or (>= 0x31F0 and <= 0x31FF) => Kana,
        (>= 0x3400 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or >= 0x20000 => Han,
        (>= 0xAC00 and <= 0xD7A3) or (>= 0x1100 and <= 0x11FF) => Hangul,
        _ => point >> 7,
    };

    /// <summary>A line for each language: its letters, a tab, and runs with what they cost, <c>_</c> for a blank.</summary>
    private static LanguageProfiles Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("language-profiles.txt")!;
        using var reader = new StreamReader(stream);
        var lines = reader.ReadToEnd().Split('\n').Where(line => line.Contains('\t', StringComparison.Ordinal)).Select(line => line.Split('\t')).ToList();
        var costs = new Dictionary<string, short[]>(StringComparer.Ordinal);
        var scripts = new int[lines.Count];
        foreach (var (language, line) in lines.Index())
        {
            var singles = new StringBuilder();
            foreach (var entry in line[1].Split(' '))
            {
                var colon = entry.LastIndexOf(':');
                var run = entry[..colon].Replace('_', ' ');
                if (!costs.TryGetValue(run, out var all))
                {
                    costs[run] = all = new short[lines.Count];
                    Array.Fill(all, Unknown);
                }

                all[language] = short.Parse(entry.AsSpan(colon + 1), CultureInfo.InvariantCulture);
                singles.Append(run.Length == 1 ? run : "");
            }

            scripts[language] = ScriptOf(singles.ToString()) ?? throw new InvalidDataException($"The profile of '{line[0]}' has no letters.");
        }

        return new LanguageProfiles(costs, [.. lines.Select(line => line[0])], scripts);
    }
}
