using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>
/// SentencePiece's compiled character map: a double-array trie from UTF-8 texts to places in a table of zero-terminated
/// replacements (google/sentencepiece, <c>normalizer.cc</c>; the trie is darts-clone's).
/// </summary>
internal sealed class CharacterMap
{
    // Bounds the walk, which a damaged map could lead in circles; published maps stay below 20.
    private const int MaxCharacters = 64;

    private readonly uint[] _trie;
    private readonly byte[] _replacements;
    private readonly bool[] _plain = new bool[128];
    private readonly ConcurrentDictionary<uint, string> _read = new(); // replacements as text; a damaged map's long ones are not kept

    private CharacterMap(uint[] trie, byte[] replacements)
    {
        (_trie, _replacements) = (trie, replacements);
        for (var first = 0; first < 128; first++)
        {
            _plain[first] = IsPlain((char)first);
        }
    }

    /// <param name="map">The length of the trie in bytes (4 bytes, little-endian), the trie, the replacements; empty for no map.</param>
    public static CharacterMap? Read(ReadOnlySpan<byte> map, string component)
    {
        if (map.Length == 0)
        {
            return null;
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

        return new CharacterMap(trie, map[(4 + size)..].ToArray());
    }

    /// <summary>Whether an ASCII character stays as it is when another ASCII character, or nothing, follows it.</summary>
    public bool IsPlainBeforeAscii(char unit) => unit < 128 && _plain[unit];

    /// <summary>The replacement of the shortest prefix that has one.</summary>
    public string? FindShortest(ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[8];
        var count = Encoding.UTF8.GetBytes(text, bytes);
        var walk = new Walk(_trie);
        foreach (var value in bytes[..count])
        {
            if (!walk.Step(value))
            {
                return null;
            }

            if (walk.Value is { } place)
            {
                return Replacement(place);
            }
        }

        return null;
    }

    /// <summary>The replacement of the longest prefix that has one, with the prefix's length in UTF-16 units.</summary>
    public string? FindLongest(ReadOnlySpan<char> text, out int length)
    {
        length = 0;
        uint? found = null;
        Span<byte> bytes = stackalloc byte[4];
        var walk = new Walk(_trie);
        for (var (at, characters) = (0, 0); at < text.Length && characters < MaxCharacters; characters++)
        {
            Rune.DecodeFromUtf16(text[at..], out var rune, out var used);
            foreach (var value in bytes[..rune.EncodeToUtf8(bytes)])
            {
                if (!walk.Step(value))
                {
                    return found is { } last ? Replacement(last) : null;
                }
            }

            at += used;
            if (walk.Value is { } place)
            {
                (found, length) = (place, at);
            }
        }

        return found is { } whole ? Replacement(whole) : null;
    }

    private bool IsPlain(char first)
    {
        var walk = new Walk(_trie);
        if (!walk.Step((byte)first))
        {
            return true;
        }

        if (walk.Value is not null)
        {
            return false;
        }

        for (var second = 0; second < 128; second++)
        {
            var next = walk;
            if (next.Step((byte)second))
            {
                return false;
            }
        }

        return true;
    }

    private string? Replacement(uint at)
    {
        if (at >= _replacements.Length)
        {
            return null;
        }

        if (_read.TryGetValue(at, out var text))
        {
            return text;
        }

        text = Read(at);
        return text.Length <= MaxCharacters ? _read.GetOrAdd(at, text) : text;
    }

    private string Read(uint at)
    {
        var rest = _replacements.AsSpan((int)at);
        var end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    /// <summary>A way from the root of the trie, a byte at a time; never leaves the array, whatever it holds.</summary>
    private struct Walk
    {
        private readonly uint[] _trie;
        private long _node;

        public Walk(uint[] trie)
        {
            _trie = trie;
            _node = trie.Length == 0 ? 0 : OffsetOf(trie[0]);
        }

        /// <summary>What the text so far stands for; null when it is only a beginning.</summary>
        public uint? Value { get; private set; }

        public bool Step(byte value)
        {
            Value = null;
            _node ^= value;
            if (value == 0 || _node >= _trie.Length || (_trie[_node] & 0x8000_00FF) != value)
            {
                return false;
            }

            var unit = _trie[_node];
            _node ^= OffsetOf(unit);
            if ((unit & 0x100) != 0 && _node < _trie.Length)
            {
                Value = _trie[_node] & 0x7FFF_FFFF;
            }

            return true;
        }

        private static uint OffsetOf(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
    }
}
