using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>A stretch of a text file; its characters are good until the next one is asked for.</summary>
/// <param name="Text">Never holds the separator of documents.</param>
/// <param name="EndsDocument">Whether a separator, or the end of the file, follows.</param>
internal readonly record struct TextChunk(ReadOnlyMemory<char> Text, bool EndsDocument);

/// <summary>Reads a text file of any size in stretches that tokenise as the whole would.</summary>
/// <remarks>
/// A stretch ends before a line feed that a character other than white space follows: the byte-level pattern puts such a
/// line feed into a piece of its own, whatever stands before it.
/// </remarks>
internal static class TextChunks
{
    private const int Characters = 1 << 20;

    /// <param name="separator">What stands between documents.</param>
    /// <param name="encoding">As the request states it; null: UTF-8.</param>
    /// <exception cref="InvalidDataException">The file is not text in that encoding.</exception>
    public static IEnumerable<TextChunk> Read(string path, string separator, string? encoding = null)
    {
        using var reader = TextFile.Open(path, encoding);
        var text = new char[Characters];
        var kept = 0;
        while (true)
        {
            if (kept == text.Length)
            {
                Array.Resize(ref text, 2 * text.Length);
            }

            var read = Fill(reader, text.AsSpan(kept), path);
            var atEnd = kept + read < text.Length;
            var cut = atEnd ? kept + read : LastCut(text.AsSpan(0, kept + read), separator);
            foreach (var chunk in Documents(text.AsMemory(0, cut), separator, atEnd))
            {
                yield return chunk;
            }

            if (atEnd)
            {
                yield break;
            }

            kept = text.Length - cut;
            text.AsSpan(cut).CopyTo(text);
        }
    }

    private static int Fill(StreamReader reader, Span<char> room, string path)
    {
        try
        {
            return reader.ReadBlock(room);
        }
        catch (DecoderFallbackException)
        {
            throw TextFile.NotUtf8(path);
        }
    }

    private static int LastCut(ReadOnlySpan<char> text, string separator)
    {
        // Far enough from the end to see whether a separator follows; not beside one, where line feeds are dropped.
        for (var i = text.Length - 1 - separator.Length; i > 0; i--)
        {
            if (text[i] == '\n'
                && !char.IsWhiteSpace(text[i + 1])
                && !text[(i + 1)..].StartsWith(separator, StringComparison.Ordinal)
                && !text[..i].TrimEnd('\n').EndsWith(separator, StringComparison.Ordinal))
            {
                return i;
            }
        }

        return 0;
    }

    private static IEnumerable<TextChunk> Documents(ReadOnlyMemory<char> text, string separator, bool atEnd)
    {
        while (text.Span.IndexOf(separator, StringComparison.Ordinal) is var at and >= 0)
        {
            // Line feeds around a separator are layout, not text.
            yield return new TextChunk(text[..at].TrimEnd('\n'), EndsDocument: true);
            text = text[(at + separator.Length)..].TrimStart('\n');
        }

        if (text.Length > 0 || atEnd)
        {
            yield return new TextChunk(atEnd ? text.TrimEnd('\n') : text, EndsDocument: atEnd);
        }
    }
}
