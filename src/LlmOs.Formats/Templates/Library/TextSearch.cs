using LlmOs.Formats.Templates.Running;

namespace LlmOs.Formats.Templates.Library;

/// <summary>Finding and ordering texts in time that grows with their length, whatever they hold.</summary>
internal static class TextSearch
{
    /// <summary>Product of lengths up to which the plain search is quick at its worst.</summary>
    private const long PlainBound = 1 << 22;

    /// <summary>Index of a text within another, in UTF-16 units; -1 where it is not.</summary>
    public static int Find(RenderRun run, string text, string needle, int from)
    {
        var length = text.Length - from;
        if (needle.Length > length)
        {
            return -1;
        }

        if (needle.Length <= 1 || (long)needle.Length * length <= PlainBound)
        {
            var at = text.IndexOf(needle, from, StringComparison.Ordinal);
            run.Scan((at < 0 ? length : at - from) + needle.Length);
            return at;
        }

        run.Scan(length + needle.Length);
        run.Make(2L * needle.Length);
        return FindLinear(text, needle, from);
    }

    /// <summary>The last index.</summary>
    public static int FindLast(RenderRun run, string text, string needle)
    {
        var last = -1;
        for (var at = Find(run, text, needle, 0); at >= 0; at = at < text.Length ? Find(run, text, needle, at + 1) : -1)
        {
            last = at;
        }

        return last;
    }

    /// <summary>The last index of what ends before another; refuses what could take long.</summary>
    public static int FindLastBefore(RenderRun run, string text, string needle, int end)
    {
        run.Scan(end);
        return needle.Length <= 1 || (long)needle.Length * end <= PlainBound
            ? text.AsSpan(0, end).LastIndexOf(needle, StringComparison.Ordinal)
            : throw new TemplateException(TemplateFault.Limit, $"The template looks backwards for a text of {needle.Length} characters in one of {end}, which may take too long.");
    }

    /// <summary>By code points: UTF-16 would put the characters of two units before U+E000.</summary>
    public static int Compare(string left, string right)
    {
        var at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length)
        {
            return left.Length.CompareTo(right.Length);
        }

        var (a, b) = (left[at], right[at]);
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }

    /// <summary>Knuth, Morris and Pratt: never looks at a character of the text twice.</summary>
    private static int FindLinear(string text, string needle, int from)
    {
        var borders = new int[needle.Length];
        for (int at = 1, border = 0; at < needle.Length; at++)
        {
            while (border > 0 && needle[at] != needle[border])
            {
                border = borders[border - 1];
            }

            border += needle[at] == needle[border] ? 1 : 0;
            borders[at] = border;
        }

        for (int at = from, matched = 0; at < text.Length; at++)
        {
            while (matched > 0 && text[at] != needle[matched])
            {
                matched = borders[matched - 1];
            }

            matched += text[at] == needle[matched] ? 1 : 0;
            if (matched == needle.Length)
            {
                return at - needle.Length + 1;
            }
        }

        return -1;
    }
}
