using System.Globalization;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>The component <c>Precompiled</c>: SentencePiece's character map as the format's own library applies it.</summary>
internal sealed class PrecompiledNormalizer : INormalizer
{
    private readonly CharacterMap _map;

    private PrecompiledNormalizer(CharacterMap map) => _map = map;

    public static INormalizer Read(string base64, string component)
    {
        byte[] bytes;
        try
        {
            bytes = Convert.FromBase64String(base64);
        }
        catch (FormatException cause)
        {
            throw new TokenizerFormatException($"{component}.precompiled_charsmap is not base64.", cause);
        }

        return CharacterMap.Read(bytes, component) is { } map ? new PrecompiledNormalizer(map) : new NormalizerSequence([]);
    }

    /// <remarks>
    /// The map is asked for whole grapheme clusters of less than six bytes first, then for each character: that is how
    /// the models were trained through tokenizers, though it is not what SentencePiece does.
    /// </remarks>
    public AlignedText Normalize(AlignedText text)
    {
        var source = text.Text;
        var rewriter = new AlignedText.Rewriter(text, source.Length);
        var kept = 0;
        for (var at = 0; at < source.Length;)
        {
            var length = GraphemeLength(source, at);
            if (Encoding.UTF8.GetByteCount(source.AsSpan(at, length)) < 6 && _map.FindShortest(source.AsSpan(at, length)) is { } whole)
            {
                rewriter.Copy(kept, at - kept);
                rewriter.Write(whole, at, length);
                kept = at + length;
            }
            else
            {
                for (var i = at; i < at + length;)
                {
                    Rune.DecodeFromUtf16(source.AsSpan(i), out _, out var used);
                    if (_map.FindShortest(source.AsSpan(i, used)) is { } single)
                    {
                        rewriter.Copy(kept, i - kept);
                        rewriter.Write(single, i, used);
                        kept = i + used;
                    }

                    i += used;
                }
            }

            at += length;
        }

        if (kept == 0)
        {
            return text;
        }

        rewriter.Copy(kept, source.Length - kept);
        return rewriter.Finish();
    }

    private static int GraphemeLength(string text, int at)
    {
        // Two plain ASCII characters never form a cluster, but for CR LF.
        if (text[at] is > '\r' and < '\x7F' && (at + 1 == text.Length || text[at + 1] < '\x7F'))
        {
            return 1;
        }

        return StringInfo.GetNextTextElementLength(text.AsSpan(at));
    }
}
