using System.Globalization;
using System.Text;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>A way to cut text into words, by sacreBLEU's name.</summary>
internal sealed record BleuTokenizer(string Name, Func<string, string> Apply);

/// <summary>sacreBLEU's tokenizers that need neither a library nor a model. Each gives words with single blanks between.</summary>
internal static class BleuTokenizers
{
    public static IReadOnlyDictionary<string, BleuTokenizer> All { get; } = new BleuTokenizer[]
    {
        new("13a", Mteval13a),
        new("intl", International),
        new("zh", Chinese),
        new("char", text => string.Join(' ', PythonText.Characters(text))),
        new("none", text => text),
    }.ToDictionary(tokenizer => tokenizer.Name, StringComparer.Ordinal);

    /// <summary>The first and last of each range that counts as Chinese. The range from U+2001 is in the reference by an escape that was cut short.</summary>
    private static readonly (int First, int Last)[] ChineseRanges =
    [
        (0x2001, 0x2a6d), (0x2e80, 0x2fff), (0x3000, 0x303f), (0x3100, 0x312f), (0x31a0, 0x31bf), (0x31c0, 0x31ef), (0x3200, 0x33ff),
        (0x3400, 0x4db5), (0x4e00, 0x9fbb), (0xf900, 0xfa2d), (0xfa30, 0xfa6a), (0xfa70, 0xfad9), (0xfe10, 0xfe1f), (0xfe30, 0xfe4f), (0xff00, 0xffef),
    ];

    /// <summary>mteval-v13a, the usual one.</summary>
    private static string Mteval13a(string text)
    {
        text = text.Replace("<skipped>", "", StringComparison.Ordinal).Replace("-\n", "", StringComparison.Ordinal).Replace('\n', ' ');
        text = text.Replace("&quot;", "\"", StringComparison.Ordinal).Replace("&amp;", "&", StringComparison.Ordinal)
            .Replace("&lt;", "<", StringComparison.Ordinal).Replace("&gt;", ">", StringComparison.Ordinal);
        return Western($" {text} ");
    }

    /// <summary>mteval-v14: any punctuation beside what is no number, and every symbol.</summary>
    private static string International(string text)
    {
        text = Cut(text, (a, b) => !IsNumber(a) && IsPunctuation(b), beforeSecond: true, afterSecond: true);
        text = Cut(text, (a, b) => IsPunctuation(a) && !IsNumber(b), beforeFirst: true, beforeSecond: true);
        return PythonText.Squeeze(Around(text, IsSymbol));
    }

    private static string Chinese(string text) =>
        Western(Around(PythonText.Trim(text), rune => ChineseRanges.Any(range => rune.Value >= range.First && rune.Value <= range.Last)));

    /// <summary>ASCII punctuation stands alone; full stops and commas too, but for those between digits; so does a dash after a digit.</summary>
    private static string Western(string text)
    {
        text = Around(text, rune => rune.Value is >= '{' and <= '~' or >= '[' and <= '`' or >= ' ' and <= '&' or >= '(' and <= '+' or >= ':' and <= '@' or '/');
        text = Cut(text, (a, b) => !IsDigit(a) && IsStop(b), beforeSecond: true, afterSecond: true);
        text = Cut(text, (a, b) => IsStop(a) && !IsDigit(b), beforeFirst: true, beforeSecond: true);
        return PythonText.Squeeze(Cut(text, (a, b) => IsDigit(a) && b.Value == '-', beforeSecond: true, afterSecond: true));
    }

    /// <summary>Blanks around each code point of a kind.</summary>
    internal static string Around(string text, Func<Rune, bool> isOne)
    {
        var cut = new StringBuilder(text.Length * 2);
        foreach (var rune in text.EnumerateRunes())
        {
            _ = isOne(rune) ? cut.Append(' ').Append(rune.ToString()).Append(' ') : cut.Append(rune.ToString());
        }

        return cut.ToString();
    }

    /// <summary>Blanks at pairs of code points, from left to right; a pair that was found is not looked into again, as with a regular expression.</summary>
    internal static string Cut(string text, Func<Rune, Rune, bool> isPair, bool beforeFirst = false, bool beforeSecond = false, bool afterSecond = false)
    {
        Rune[] runes = [.. text.EnumerateRunes()];
        var cut = new StringBuilder(text.Length * 2);
        for (var i = 0; i < runes.Length; i++)
        {
            if (i + 1 == runes.Length || !isPair(runes[i], runes[i + 1]))
            {
                cut.Append(runes[i].ToString());
                continue;
            }

            cut.Append(beforeFirst ? " " : "").Append(runes[i].ToString()).Append(beforeSecond ? " " : "").Append(runes[i + 1].ToString()).Append(afterSecond ? " " : "");
            i++;
        }

        return cut.ToString();
    }

    private static bool IsDigit(Rune rune) => rune.Value is >= '0' and <= '9';

    private static bool IsStop(Rune rune) => rune.Value is '.' or ',';

    private static bool IsNumber(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsPunctuation(Rune rune) => Rune.IsPunctuation(rune);

    private static bool IsSymbol(Rune rune) => Rune.IsSymbol(rune);
}
