using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Templates.Library;

/// <summary>
/// Characters in the place of HTML's entities, by the rules of HTML 5 as Python's <c>html.unescape</c> applies them. Names lie in
/// <c>html-entities.txt</c>: a name that ends with a semicolon needs one, the others are found without it too.
/// </summary>
internal static class HtmlEntities
{
    private const int LongestName = 32;

    private static readonly Dictionary<string, string> Named = Names();

    /// <summary>What the bytes 0x80 to 0x9F of Windows-1252 mean; HTML reads numbers in that range so.</summary>
    private const string Windows = "\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178";

    public static string Replace(string text)
    {
        var result = new StringBuilder(text.Length);
        var done = 0;
        for (var at = text.IndexOf('&', StringComparison.Ordinal); at >= 0; at = text.IndexOf('&', Math.Max(done, at + 1)))
        {
            var (found, end) = text.AsSpan(at + 1).StartsWith("#") ? Number(text, at + 2) : Name(text, at + 1);
            if (found is not null)
            {
                result.Append(text, done, at - done).Append(found);
                done = end;
            }
        }

        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>The longest name that begins here.</summary>
    private static (string? Found, int End) Name(string text, int start)
    {
        var end = start;
        while (end < text.Length && end - start < LongestName && text[end] is not ('\t' or '\n' or '\f' or ' ' or '<' or '&' or '#' or ';'))
        {
            end++;
        }

        end += end > start && end < text.Length && text[end] == ';' ? 1 : 0;
        for (; end - start > 1; end--)
        {
            if (Named.TryGetValue(text[start..end], out var found))
            {
                return (found, end);
            }
        }

        return (null, start);
    }

    private static (string? Found, int End) Number(string text, int start)
    {
        var isHex = start < text.Length && text[start] is 'x' or 'X';
        start += isHex ? 1 : 0;
        var (end, value) = (start, 0L);
        for (; end < text.Length && (isHex ? char.IsAsciiHexDigit(text[end]) : char.IsAsciiDigit(text[end])); end++)
        {
            value = Math.Min((value * (isHex ? 16 : 10)) + int.Parse(text.AsSpan(end, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture), int.MaxValue);
        }

        return end == start ? (null, start) : (Character(value), end < text.Length && text[end] == ';' ? end + 1 : end);
    }

    private static string Character(long value) => value switch
    {
        0 => "\uFFFD",
        '\r' => "\r",
        >= 0x80 and <= 0x9F => Windows[(int)value - 0x80].ToString(),
        >= 0xD800 and <= 0xDFFF or > 0x10FFFF => "\uFFFD",
        (>= 1 and <= 8) or (>= 0xB and <= 0x1F and not 0xC) or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
        _ when (value & 0xFFFE) == 0xFFFE => "",
        _ => char.ConvertFromUtf32((int)value),
    };

    private static Dictionary<string, string> Names()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var words in LibraryFile.Lines("html-entities.txt").Select(line => line.Split(' ')))
        {
            var text = string.Concat(words.Skip(1).Select(hex => char.ConvertFromUtf32(int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))));
            names.Add(words[0], text);
            if (!words[0].EndsWith(';'))
            {
                names.Add(words[0] + ";", text);
            }
        }

        return names;
    }
}
