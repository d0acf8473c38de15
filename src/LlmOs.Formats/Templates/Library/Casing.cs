using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Templates.Library;

/// <summary>
/// The case of letters as Python has it, which is Unicode's full mapping (SpecialCasing.txt): some letters become several, and a
/// sigma at the end of a word has a form of its own. Where .NET's mapping of single letters is the same, it is used;
/// <c>special-casing.txt</c> holds the others.
/// </summary>
public static class Casing
{
    private const int Sigma = 0x03A3;

    /// <summary>Letters that have a case beyond the categories: superscripts, modifiers, letters in circles and squares.</summary>
    private static readonly (int First, int Last)[] FurtherCased =
    [
        (0xAA, 0xAA), (0xBA, 0xBA), (0x2B0, 0x2B8), (0x2C0, 0x2C1), (0x2E0, 0x2E4), (0x37A, 0x37A), (0x1D2C, 0x1D6A), (0x1D78, 0x1D78), (0x1D9B, 0x1DBF),
        (0x2071, 0x2071), (0x207F, 0x207F), (0x2090, 0x209C), (0x2C7C, 0x2C7D), (0xA69C, 0xA69D), (0xA770, 0xA770), (0xA7F8, 0xA7F9), (0xAB5C, 0xAB5F),
        (0x10780, 0x10780), (0x10783, 0x10785), (0x10787, 0x107B0), (0x107B2, 0x107BA), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189),
    ];

    private static readonly Dictionary<string, Dictionary<int, string>> Special = LibraryFile.Lines("special-casing.txt")
        .Select(line => line.Split(' '))
        .ToDictionary(words => words[0], words => words.Skip(1).Select(word => word.Split('>')).ToDictionary(pair => char.ConvertToUtf32(pair[0], 0), pair => pair[1]));

    private static readonly Dictionary<int, string> SpecialUpper = Special["upper"], SpecialTitle = Special["title"], SpecialFold = Special["fold"];

    public static string Upper(string text) => Ascii.IsValid(text) ? text.ToUpperInvariant() : Map(text, (letter, _) => UpperOf(letter));

    public static string Lower(string text) => Ascii.IsValid(text) ? text.ToLowerInvariant() : Map(text, (letter, at) => LowerOf(letter, text, at));

    /// <summary>What texts are compared by that may differ in case.</summary>
    public static string Fold(string text) => Map(text, (letter, _) => SpecialFold.TryGetValue(letter.Value, out var fold) ? fold : letter.Value == Sigma ? "σ" : LowerOf(letter, "", 0));

    /// <summary>Every letter that begins a word large, the others small.</summary>
    public static string Title(string text)
    {
        var within = false;
        return Map(text, (letter, at) =>
        {
            var mapped = within ? LowerOf(letter, text, at) : TitleOf(letter);
            within = IsCased(letter);
            return mapped;
        });
    }

    public static string Capitalize(string text) => Map(text, (letter, at) => at == 0 ? TitleOf(letter) : LowerOf(letter, text, at));

    public static string Swap(string text) => Map(text, (letter, at) => IsUpper(letter) ? LowerOf(letter, text, at) : IsLower(letter) ? UpperOf(letter) : letter.ToString());

    /// <summary>Whether a text has letters of a case and none of another.</summary>
    public static bool IsAllUpper(string text) => text.EnumerateRunes().Any(IsUpper) && !text.EnumerateRunes().Any(letter => IsLower(letter) || IsTitle(letter));

    public static bool IsAllLower(string text) => text.EnumerateRunes().Any(IsLower) && !text.EnumerateRunes().Any(letter => IsUpper(letter) || IsTitle(letter));

    /// <summary>Whether large letters begin words, and small ones stand only within.</summary>
    public static bool IsTitled(string text)
    {
        var (any, within) = (false, false);
        foreach (var letter in text.EnumerateRunes())
        {
            var begins = IsUpper(letter) || IsTitle(letter);
            if (begins ? within : IsLower(letter) && !within)
            {
                return false;
            }

            within = begins || IsLower(letter);
            any |= within;
        }

        return any;
    }

    private static string Map(string text, Func<Rune, int, string> map)
    {
        var result = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length;)
        {
            if (!Rune.TryGetRuneAt(text, at, out var letter))
            {
                result.Append(text[at++]); // half a character stays what it is
                continue;
            }

            result.Append(map(letter, at));
            at += letter.Utf16SequenceLength;
        }

        return result.ToString();
    }

    private static string UpperOf(Rune letter) => SpecialUpper.TryGetValue(letter.Value, out var upper) ? upper : letter.ToString().ToUpperInvariant();

    private static string TitleOf(Rune letter) => SpecialTitle.TryGetValue(letter.Value, out var title) ? title : UpperOf(letter);

    private static string LowerOf(Rune letter, string text, int at) => letter.Value switch
    {
        'İ' => "i\u0307",
        Sigma => EndsWord(text, at) ? "ς" : "σ",
        _ => letter.ToString().ToLowerInvariant(),
    };

    /// <summary>Unicode's Final_Sigma: a letter before it and none behind it, marks and apostrophes not counted.</summary>
    private static bool EndsWord(string text, int at)
    {
        var isBehindLetter = false;
        for (var before = text.AsSpan(0, at); !before.IsEmpty;)
        {
            Rune.DecodeLastFromUtf16(before, out var letter, out var used);
            if (!IsIgnorable(letter))
            {
                isBehindLetter = IsCased(letter);
                break;
            }

            before = before[..^used];
        }

        if (!isBehindLetter)
        {
            return false;
        }

        foreach (var next in text.AsSpan(at + 1).EnumerateRunes())
        {
            if (!IsIgnorable(next))
            {
                return !IsCased(next);
            }
        }

        return true;
    }

    private static bool IsUpper(Rune letter) => Rune.GetUnicodeCategory(letter) == UnicodeCategory.UppercaseLetter || (!IsTitle(letter) && IsChanged(letter.ToString(), letter.ToString().ToLowerInvariant()));

    private static bool IsChanged(string text, string mapped) => !text.AsSpan().SequenceEqual(mapped);

    private static bool IsLower(Rune letter) => !IsUpper(letter) && !IsTitle(letter) && IsCased(letter) && letter.Value is not (>= 0x1F130 and <= 0x1F189);

    private static bool IsTitle(Rune letter) => Rune.GetUnicodeCategory(letter) == UnicodeCategory.TitlecaseLetter;

    private static bool IsCased(Rune letter) =>
        Rune.GetUnicodeCategory(letter) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        || (letter.ToString() is var text && (IsChanged(text, text.ToUpperInvariant()) || IsChanged(text, text.ToLowerInvariant())))
        || Array.Exists(FurtherCased, range => letter.Value >= range.First && letter.Value <= range.Last);

    private static bool IsIgnorable(Rune letter) =>
        letter.Value is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027 or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A
        || (Rune.GetUnicodeCategory(letter) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
            && !IsCased(letter));
}
