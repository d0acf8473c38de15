using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace LlmOs.Engine.Text.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's compiled character map: a double-array trie from UTF-8 prefixes to places in a table of
/// zero-terminated replacements (google/sentencepiece, <c>normalizer.cc</c>; the trie is darts-clone's).
/// </summary>
internal sealed class PrecompiledNormalizer : INormalizer
{
    private readonly uint[] _trie;
    private readonly byte[] _replacements;

    private PrecompiledNormalizer(uint[] trie, byte[] replacements) => (_trie, _replacements) = (trie, replacements);

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

        return Read(bytes, component);
    }

    /// <param name="map">The length of the trie in bytes (4 bytes, little-endian), the trie, the replacements.</param>
    public static INormalizer Read(ReadOnlySpan<byte> map, string component)
    {
        if (map.Length == 0)
        {
            return new NormalizerSequence([]);
        }

        var size = map.Length < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(map);
        if (size < 0 || size % 4 != 0 || size > map.Length - 4)
        {
            throw new TokenizerFormatException($"{component}: the character map states {size} bytes of trie, but has {map.Length} in all.");
        }

        var trie = new uint[size / 4];
        for (var i = 0; i < trie.Length; i++)
        {
            trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + (4 * i))..]);
        }

        return new PrecompiledNormalizer(trie, map[(4 + size)..].ToArray());
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
            if (Encoding.UTF8.GetByteCount(source.AsSpan(at, length)) < 6 && Find(source.AsSpan(at, length)) is { } whole)
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
                    if (Find(source.AsSpan(i, used)) is { } single)
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

    /// <summary>The replacement of the shortest prefix that has one, as the format's own library takes it.</summary>
    private string? Find(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[8];
        var count = Encoding.UTF8.GetBytes(text, bytes);
        long node = 0;
        if (_trie.Length == 0)
        {
            return null;
        }

        node ^= OffsetOf(_trie[0]);
        foreach (var value in bytes[..count])
        {
            if (value == 0)
            {
                return null;
            }

            node ^= value;
            if (node >= _trie.Length || (_trie[node] & 0x8000_00FF) != value)
            {
                return null;
            }

            var unit = _trie[node];
            node ^= OffsetOf(unit);
            if ((unit & 0x100) != 0)
            {
                return node < _trie.Length ? Replacement(_trie[node] & 0x7FFF_FFFF) : null;
            }
        }

        return null;
    }

    private static uint OffsetOf(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private string? Replacement(uint at)
    {
        if (at >= _replacements.Length)
        {
            return null;
        }

        var rest = _replacements.AsSpan((int)at);
        var end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }
}
