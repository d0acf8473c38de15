namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Porter's stemmer with the additions of NLTK, which the usual ROUGE uses.</summary>
internal static class PorterStemmer
{
    private static readonly Dictionary<string, string> Irregular = new(StringComparer.Ordinal)
    {
        ["sky"] = "sky",
        ["skies"] = "sky",
        ["dying"] = "die",
        ["lying"] = "lie",
        ["tying"] = "tie",
        ["news"] = "news",
        ["innings"] = "inning",
        ["inning"] = "inning",
        ["outings"] = "outing",
        ["outing"] = "outing",
        ["cannings"] = "canning",
        ["canning"] = "canning",
        ["howe"] = "howe",
        ["proceed"] = "proceed",
        ["exceed"] = "exceed",
        ["succeed"] = "succeed",
    };

    private static readonly (string Suffix, string Becomes)[] Plurals = [("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")];

    private static readonly (string Suffix, string Becomes)[] Long =
    [
        ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"), ("alli", "al"),
        ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"),
        ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
    ];

    private static readonly (string Suffix, string Becomes)[] Short =
        [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")];

    private static readonly string[] Last =
    [
        "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous", "ive", "ize",
    ];

    private static readonly string[] Past = ["ed", "ing"];

    /// <param name="word">In small letters.</param>
    public static string Stem(string word) =>
        Irregular.TryGetValue(word, out var stem) ? stem
        : word.Length <= 2 ? word
        : WithoutDoubleL(WithoutE(WithoutLast(Apply(Short, WithoutLong(YToI(WithoutPast(WithoutPlural(word))))))));

    private static string WithoutPlural(string word) =>
        word.Length == 4 && Ends(word, "ies") ? word[..^1] : Plurals.Where(rule => Ends(word, rule.Suffix)).Select(rule => word[..^rule.Suffix.Length] + rule.Becomes).FirstOrDefault(word);

    private static string WithoutPast(string word)
    {
        if (Ends(word, "ied"))
        {
            return word.Length == 4 ? word[..^1] : word[..^2];
        }

        if (Ends(word, "eed"))
        {
            return Measure(word[..^3]) > 0 ? word[..^1] : word;
        }

        var suffix = Past.FirstOrDefault(end => Ends(word, end) && HasVowel(word[..^end.Length]));
        if (suffix is null)
        {
            return word;
        }

        var stem = word[..^suffix.Length];
        return Ends(stem, "at") || Ends(stem, "bl") || Ends(stem, "iz") ? stem + "e"
            : EndsDouble(stem) ? stem[^1] is 'l' or 's' or 'z' ? stem : stem[..^1]
            : Measure(stem) == 1 && EndsShort(stem) ? stem + "e"
            : stem;
    }

    private static string YToI(string word) =>
        word.Length > 2 && word[^1] == 'y' && IsConsonant(word, word.Length - 2) ? word[..^1] + "i" : word;

    private static string WithoutLong(string word)
    {
        if (Ends(word, "alli") && Measure(word[..^4]) > 0)
        {
            return WithoutLong(word[..^2]);
        }

        return Long.Any(rule => Ends(word, rule.Suffix)) ? Apply(Long, word)
            : Ends(word, "logi") && Measure(word[..^3]) > 0 ? word[..^1]
            : word;
    }

    private static string WithoutLast(string word)
    {
        // The first that fits decides, whether or not its condition holds.
        if (Last.FirstOrDefault(end => Ends(word, end)) is not { } suffix)
        {
            return word;
        }

        var stem = word[..^suffix.Length];
        return Measure(stem) > 1 && (suffix != "ion" || stem[^1] is 's' or 't') ? stem : word;
    }

    private static string WithoutE(string word)
    {
        if (word[^1] != 'e')
        {
            return word;
        }

        var stem = word[..^1];
        return Measure(stem) > 1 || (Measure(stem) == 1 && !EndsShort(stem)) ? stem : word;
    }

    private static string WithoutDoubleL(string word) => Ends(word, "ll") && Measure(word[..^1]) > 1 ? word[..^1] : word;

    private static string Apply((string Suffix, string Becomes)[] rules, string word)
    {
        foreach (var (suffix, becomes) in rules)
        {
            if (Ends(word, suffix))
            {
                var stem = word[..^suffix.Length];
                return Measure(stem) > 0 ? stem + becomes : word;
            }
        }

        return word;
    }

    private static bool Ends(string word, string suffix) => word.EndsWith(suffix, StringComparison.Ordinal);

    private static bool IsConsonant(string word, int i) => word[i] switch
    {
        'a' or 'e' or 'i' or 'o' or 'u' => false,
        'y' => i == 0 || !IsConsonant(word, i - 1),
        _ => true,
    };

    /// <summary>How often consonants follow vowels.</summary>
    private static int Measure(string stem)
    {
        var count = 0;
        for (var i = 1; i < stem.Length; i++)
        {
            count += IsConsonant(stem, i) && !IsConsonant(stem, i - 1) ? 1 : 0;
        }

        return count;
    }

    private static bool HasVowel(string stem) => Enumerable.Range(0, stem.Length).Any(i => !IsConsonant(stem, i));

    private static bool EndsDouble(string word) => word.Length >= 2 && word[^1] == word[^2] && IsConsonant(word, word.Length - 1);

    /// <summary>Consonant, vowel, consonant other than w, x and y; or, of two letters, vowel and consonant.</summary>
    private static bool EndsShort(string word) => word.Length switch
    {
        >= 3 => IsConsonant(word, word.Length - 3) && !IsConsonant(word, word.Length - 2) && IsConsonant(word, word.Length - 1) && word[^1] is not ('w' or 'x' or 'y'),
        2 => !IsConsonant(word, 0) && IsConsonant(word, 1),
        _ => false,
    };
}
