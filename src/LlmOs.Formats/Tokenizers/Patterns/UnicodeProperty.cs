using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>Properties by the names that regular expressions use.</summary>
internal static class UnicodeProperty
{
    private static readonly string[] CategoryNames =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co",
        "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn",
    ];

    private static readonly Dictionary<string, string> LongNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["letter"] = "L",
        ["mark"] = "M",
        ["number"] = "N",
        ["punctuation"] = "P",
        ["punct"] = "P",
        ["symbol"] = "S",
        ["separator"] = "Z",
        ["other"] = "C",
        ["uppercaseletter"] = "Lu",
        ["lowercaseletter"] = "Ll",
        ["titlecaseletter"] = "Lt",
        ["modifierletter"] = "Lm",
        ["otherletter"] = "Lo",
        ["nonspacingmark"] = "Mn",
        ["spacingmark"] = "Mc",
        ["enclosingmark"] = "Me",
        ["decimalnumber"] = "Nd",
        ["letternumber"] = "Nl",
        ["othernumber"] = "No",
        ["control"] = "Cc",
        ["format"] = "Cf",
        ["unassigned"] = "Cn",
    };

    public static bool IsSpace(int scalar) => (CharClass.Of(scalar) & CharClass.Space) != 0;

    public static bool IsWord(int scalar) => (CharClass.Of(scalar) & CharClass.Word) != 0;

    public static bool IsDigit(int scalar) => CharClass.Category(scalar) == UnicodeCategory.DecimalDigitNumber;

    /// <summary>The test for a name in <c>\p{...}</c>, or null for a name that is not known.</summary>
    public static Func<int, bool>? Named(string name)
    {
        var plain = name.Replace("_", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal);
        if (LongNames.TryGetValue(plain, out var known))
        {
            plain = known;
        }

        if (plain is "LC" or "lc" or "L&")
        {
            return scalar => CharClass.Category(scalar) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
        }

        var mask = 0;
        for (var i = 0; i < CategoryNames.Length; i++)
        {
            var category = CategoryNames[i];
            if (category.Equals(plain, StringComparison.OrdinalIgnoreCase)
                || (plain.Length == 1 && char.ToUpperInvariant(plain[0]) == category[0]))
            {
                mask |= 1 << i;
            }
        }

        if (mask != 0)
        {
            return scalar => (mask & (1 << (int)CharClass.Category(scalar))) != 0;
        }

        var script = plain.StartsWith("Script=", StringComparison.OrdinalIgnoreCase) ? plain[7..] : plain.StartsWith("sc=", StringComparison.OrdinalIgnoreCase) ? plain[3..] : plain;
        return UnicodeScript.Find(script) is { } number ? scalar => UnicodeScript.Of(scalar) == number : Posix(plain.ToLowerInvariant());
    }

    public static Func<int, bool>? Posix(string name) => name switch
    {
        "alpha" or "alphabetic" => scalar => Rune.IsValid(scalar) && (Rune.IsLetter(new Rune(scalar)) || CharClass.Category(scalar) == UnicodeCategory.LetterNumber),
        "digit" => IsDigit,
        "alnum" => scalar => (CharClass.Of(scalar) & (CharClass.Letter | CharClass.Mark)) != 0 || IsDigit(scalar),
        "upper" or "uppercase" => scalar => CharClass.Category(scalar) == UnicodeCategory.UppercaseLetter,
        "lower" or "lowercase" => scalar => CharClass.Category(scalar) == UnicodeCategory.LowercaseLetter,
        "space" or "whitespace" => IsSpace,
        "blank" => scalar => scalar == '\t' || CharClass.Category(scalar) == UnicodeCategory.SpaceSeparator,
        "cntrl" => scalar => CharClass.Category(scalar) == UnicodeCategory.Control,
        "punct" => scalar => CharClass.Category(scalar) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation
            || (scalar < 128 && "$+<=>^`|~".Contains((char)scalar)),
        "word" => IsWord,
        "xdigit" => scalar => scalar < 128 && char.IsAsciiHexDigit((char)scalar),
        "ascii" => scalar => scalar < 128,
        "any" => _ => true,
        _ => null,
    };

    /// <summary>The other characters that equal this one when case does not count.</summary>
    public static IEnumerable<int> CaseVariants(int scalar)
    {
        if (!Rune.IsValid(scalar))
        {
            yield break;
        }

        var rune = new Rune(scalar);
        var (upper, lower) = (Rune.ToUpperInvariant(rune).Value, Rune.ToLowerInvariant(rune).Value);
        yield return upper;
        yield return lower;

        // Letters that fold onto ASCII ones, which the invariant mapping leaves out.
        switch (scalar)
        {
            case 0x017F:
                yield return 's';
                yield return 'S';
                break;
            case 's' or 'S':
                yield return 0x017F;
                break;
            case 0x212A:
                yield return 'k';
                yield return 'K';
                break;
            case 'k' or 'K':
                yield return 0x212A;
                break;
        }
    }
}
