using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Cuts text into the pieces that byte-level BPE never merges across, as GPT-2's pattern does:
/// <c>'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+</c>.
/// </summary>
/// <remarks>Written out because .NET's regular expressions see letters beyond U+FFFF as two symbols.</remarks>
internal static class WordSplitter
{
    private enum Kind
    {
        Letter,
        Number,
        Space,
        Other,
    }

    /// <summary>Length in UTF-16 units of the piece that starts the text; the text is not empty.</summary>
    public static int NextLength(ReadOnlySpan<char> text)
    {
        var suffix = ContractionLength(text);
        if (suffix > 0)
        {
            return suffix;
        }

        var first = KindAt(text, 0, out var width);
        if (text[0] == ' ' && text.Length > 1 && KindAt(text, 1, out var width2) is var second && second != Kind.Space)
        {
            return RunEnd(text, 1 + width2, second);
        }

        var end = RunEnd(text, width, first);
        if (first == Kind.Space && end < text.Length && end > width)
        {
            // \s+(?!\S): the last white space belongs to what follows it. White space is never a surrogate pair.
            return end - 1;
        }

        return end;
    }

    private static int RunEnd(ReadOnlySpan<char> text, int from, Kind kind)
    {
        while (from < text.Length && KindAt(text, from, out var width) == kind)
        {
            from += width;
        }

        return from;
    }

    private static Kind KindAt(ReadOnlySpan<char> text, int index, out int width)
    {
        Rune.DecodeFromUtf16(text[index..], out var rune, out width);
        return Rune.IsLetter(rune) ? Kind.Letter
            : Rune.IsNumber(rune) ? Kind.Number
            : Rune.IsWhiteSpace(rune) ? Kind.Space
            : Kind.Other;
    }

    private static int ContractionLength(ReadOnlySpan<char> text)
    {
        if (text.Length < 2 || text[0] != '\'')
        {
            return 0;
        }

        if (text[1] is 's' or 't' or 'm' or 'd')
        {
            return 2;
        }

        return text.Length > 2 && text[1..3] is "re" or "ve" or "ll" ? 3 : 0;
    }
}
