using System.Globalization;
using System.Text;

namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>Text as Python's <c>str</c> treats it, which the reference implementations are written in: by code points, with its own white space.</summary>
internal static class PythonText
{
    /// <summary><c>string.punctuation</c></summary>
    public static bool IsPunctuation(char c) => char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c));

    /// <summary><c>str.isspace</c>: .NET leaves the four separators U+001C to U+001F out.</summary>
    public static bool IsSpace(char c) => char.IsWhiteSpace(c) || c is >= '\u001c' and <= '\u001f';

    /// <summary><c>str.split()</c></summary>
    public static List<string> Split(string text)
    {
        List<string> words = [];
        var from = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || IsSpace(text[i]))
            {
                if (i > from)
                {
                    words.Add(text[from..i]);
                }

                from = i + 1;
            }
        }

        return words;
    }

    /// <summary><c>' '.join(text.split())</c></summary>
    public static string Squeeze(string text) => string.Join(' ', Split(text));

    /// <summary><c>str.lower()</c>: unlike .NET's it takes the dotted capital I apart and knows the sigma that ends a word.</summary>
    public static string Lower(string text)
    {
        var lower = text.ToLowerInvariant();
        if (text.AsSpan().IndexOfAny('\u0130', '\u03a3') < 0)
        {
            return lower;
        }

        var made = new StringBuilder(text.Length + 4);
        for (var i = 0; i < text.Length; i++)
        {
            _ = text[i] switch
            {
                '\u0130' => made.Append("i\u0307"),
                '\u03a3' => made.Append(IsLetterAt(text, i, -1) && !IsLetterAt(text, i, 1) ? '\u03c2' : '\u03c3'),
                _ => made.Append(lower[i]),
            };
        }

        return made.ToString();
    }

    /// <summary><c>str.strip()</c></summary>
    public static string Trim(string text)
    {
        var start = 0;
        while (start < text.Length && IsSpace(text[start]))
        {
            start++;
        }

        return TrimEnd(text[start..]);
    }

    /// <summary><c>str.rstrip()</c></summary>
    public static string TrimEnd(string text)
    {
        var end = text.Length;
        while (end > 0 && IsSpace(text[end - 1]))
        {
            end--;
        }

        return text[..end];
    }

    /// <summary><c>list(text)</c>: the code points, each as a text.</summary>
    public static List<string> Characters(string text) => [.. text.EnumerateRunes().Select(rune => rune.ToString())];

    /// <summary>Whether the next sign in a direction that is neither mark nor apostrophe is a letter.</summary>
    private static bool IsLetterAt(string text, int from, int step)
    {
        var at = from + step;
        while (at >= 0 && at < text.Length && (char.GetUnicodeCategory(text[at]) is UnicodeCategory.NonSpacingMark || text[at] is '\'' or '\u2019'))
        {
            at += step;
        }

        return at >= 0 && at < text.Length && (char.IsLetter(text[at]) || char.IsSurrogate(text[at]));
    }
}
