using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>What a BPE model is made of.</summary>
internal sealed record BpeSettings
{
    public string? UnknownToken { get; init; }

    /// <summary>Whether unknown characters in a row make one unknown token.</summary>
    public bool FuseUnknown { get; init; }

    /// <summary>Whether an unknown character becomes its bytes, spelt <c>&lt;0xE2&gt;</c>.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>Whether a piece that is a token as a whole is taken as it is.</summary>
    public bool IgnoreMerges { get; init; }

    public string ContinuingPrefix { get; init; } = "";

    public string EndOfWordSuffix { get; init; } = "";

    /// <summary>
    /// Whether pieces are plain text whose UTF-8 bytes are the first symbols (byte-level BPE); else its characters are.
    /// </summary>
    public bool Bytes { get; init; }
}

/// <summary>
/// Byte-pair encoding: symbols are merged in the order of the merge list (Sennrich et al. 2016), with the rules of
/// Hugging Face tokenizers for unknown characters.
/// </summary>
internal sealed class BpeModel : ITokenModel
{
    private const int OnStack = 128; // symbols

    private readonly BpeSettings _settings;
    private readonly PairTable _merges;
    private readonly int[] _byteIds;
    private readonly int[] _characterIds; // of the basic plane, -1 for those that are no token
    private readonly FrozenDictionary<int, int> _furtherIds; // of the other planes
    private readonly int _unknown;
    private readonly WordCache _cache = new();

    private BpeModel(Vocabulary vocabulary, PairTable merges, bool breaksBeforeSpace, BpeSettings settings)
    {
        Vocabulary = vocabulary;
        _merges = merges;
        _settings = settings;
        _byteIds = ByteIds(vocabulary, settings.Bytes);
        _characterIds = settings.Bytes ? [] : CharacterIds(vocabulary);
        _furtherIds = settings.Bytes ? FrozenDictionary<int, int>.Empty : FurtherIds(vocabulary);
        _unknown = settings.UnknownToken is { } token ? vocabulary.Find(token) ?? -2 : -1;
        BreaksBeforeSpace = breaksBeforeSpace && settings is { Bytes: false, IgnoreMerges: false, ContinuingPrefix: "", EndOfWordSuffix: "" };
    }

    public string Kind => "BPE";

    public Vocabulary Vocabulary { get; }

    public int? Unknown => _unknown >= 0 ? _unknown : null;

    /// <summary>
    /// Whether no merge joins a <c>▁</c> to a different character before it. Then a piece may be cut before
    /// each run of <c>▁</c> without changing the outcome, and the parts are found in the cache.
    /// </summary>
    public bool BreaksBeforeSpace { get; }

    /// <summary>The same model for pieces of plain text instead of pieces in <see cref="ByteAlphabet"/>; null if there is none.</summary>
    public BpeModel? OverBytes() =>
        _settings is { ContinuingPrefix: "", EndOfWordSuffix: "", ByteFallback: false }
            ? new BpeModel(Vocabulary, _merges, breaksBeforeSpace: false, _settings with { Bytes = true })
            : null;

    /// <param name="merges">Pairs in order of rank.</param>
    public static BpeModel OfMerges(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> merges, BpeSettings settings) =>
        new(vocabulary, MergeTables.OfPairs(vocabulary, merges, settings.ContinuingPrefix.Length), MergeTables.BreakBeforeSpace(vocabulary, merges), settings);

    /// <summary>A model whose files rank tokens, not pairs: any two symbols that spell a token are merged, the lowest rank first.</summary>
    /// <param name="ranks">Rank of each id that merging may make, or -1. Ids may share a rank.</param>
    public static BpeModel OfRanks(Vocabulary vocabulary, IReadOnlyList<int> ranks, BpeSettings settings)
    {
        var (table, breaks) = MergeTables.OfRanks(vocabulary, ranks);
        return new BpeModel(vocabulary, table, breaks, settings);
    }

    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        if (!BreaksBeforeSpace)
        {
            TokenizePart(piece, at, sink);
            return;
        }

        foreach (var part in SpaceParts.Of(piece))
        {
            TokenizePart(piece[part], at + part.Start.Value, sink);
        }
    }

    private void TokenizePart(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        if (piece.Length > WordCache.MaxLength)
        {
            TokenizeUncached(piece, at, sink, keep: false, hash: 0);
            return;
        }

        var hash = WordCache.HashOf(piece);
        var entry = _cache.Find(piece, hash);
        if (entry is null)
        {
            TokenizeUncached(piece, at, sink, keep: true, hash);
        }
        else
        {
            sink.Add(entry.Ids, entry.Starts, entry.Ends, at);
        }
    }

    private void TokenizeUncached(ReadOnlySpan<char> piece, int at, TokenSink sink, bool keep, uint hash)
    {
        if (_settings.IgnoreMerges && FindWhole(piece, out var whole))
        {
            sink.Add(whole, at, at + piece.Length);
            if (keep)
            {
                _cache.Keep(piece, hash, [whole], [0], [piece.Length]);
            }

            return;
        }

        // A UTF-16 unit makes at most three bytes; characters make at most one symbol a unit, or their bytes.
        var max = piece.Length * 3 + _settings.ContinuingPrefix.Length + _settings.EndOfWordSuffix.Length;
        var rented = max <= OnStack ? null : ArrayPool<int>.Shared.Rent(checked(3 * max));
        var room = rented is null ? stackalloc int[3 * OnStack] : rented;
        var size = room.Length / 3;
        var symbols = new SymbolList(room[..size], room.Slice(size, size), room.Slice(2 * size, size));

        if (_settings.Bytes)
        {
            AddBytes(piece, ref symbols);
        }
        else
        {
            AddCharacters(piece, ref symbols);
        }

        symbols.MergeAll(_merges);
        sink.Add(symbols.Ids, symbols.Starts, symbols.Ends, at);

        if (keep)
        {
            _cache.Keep(piece, hash, symbols.Ids, symbols.Starts, symbols.Ends);
        }

        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    private bool FindWhole(ReadOnlySpan<char> piece, out int id)
    {
        if (!_settings.Bytes)
        {
            return Vocabulary.TryGet(piece, out id);
        }

        if (piece.Length > 512)
        {
            id = -1;
            return false;
        }

        Span<byte> bytes = stackalloc byte[512 * 3];
        Span<char> spelt = stackalloc char[512 * 3];
        var count = Encoding.UTF8.GetBytes(piece, bytes);
        for (var i = 0; i < count; i++)
        {
            spelt[i] = ByteAlphabet.Of(bytes[i]);
        }

        return Vocabulary.TryGet(spelt[..count], out id);
    }

    private void AddBytes(ReadOnlySpan<char> piece, ref SymbolList symbols)
    {
        Span<byte> bytes = stackalloc byte[4];
        var pending = (Start: -1, End: -1);
        for (var i = 0; i < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[i..], out var rune, out var used);
            var count = rune.EncodeToUtf8(bytes);
            for (var b = 0; b < count; b++)
            {
                AddOrUnknown(_byteIds[bytes[b]], i, i + used, ref pending, ref symbols);
            }

            i += used;
        }

        Flush(ref pending, ref symbols);
    }

    private void AddCharacters(ReadOnlySpan<char> piece, ref SymbolList symbols)
    {
        Span<byte> bytes = stackalloc byte[4];
        var pending = (Start: -1, End: -1);
        for (var i = 0; i < piece.Length;)
        {
            Rune.DecodeFromUtf16(piece[i..], out var rune, out var used);
            var (first, last) = (i == 0, i + used == piece.Length);
            var plain = (first || _settings.ContinuingPrefix.Length == 0) && (!last || _settings.EndOfWordSuffix.Length == 0);
            int id;
            var known = plain
                ? FindCharacter(rune, out id)
                : Vocabulary.TryGet(
                    string.Concat(first ? "" : _settings.ContinuingPrefix, piece.Slice(i, used), last ? _settings.EndOfWordSuffix : ""),
                    out id);
            if (!known && _settings.ByteFallback && plain && HasBytes(rune, bytes, out var count))
            {
                for (var b = 0; b < count; b++)
                {
                    symbols.Add(_byteIds[bytes[b]], i, i + used);
                }
            }
            else
            {
                AddOrUnknown(known ? id : -1, i, i + used, ref pending, ref symbols);
            }

            i += used;
        }

        Flush(ref pending, ref symbols);
    }

    private bool FindCharacter(Rune character, out int id)
    {
        if (!character.IsBmp)
        {
            return _furtherIds.TryGetValue(character.Value, out id);
        }

        id = _characterIds[character.Value];
        return id >= 0;
    }

    private bool HasBytes(Rune rune, Span<byte> bytes, out int count)
    {
        count = rune.EncodeToUtf8(bytes);
        foreach (var value in bytes[..count])
        {
            if (_byteIds[value] < 0)
            {
                return false;
            }
        }

        return true;
    }

    private void AddOrUnknown(int id, int start, int end, ref (int Start, int End) pending, ref SymbolList symbols)
    {
        if (id >= 0)
        {
            Flush(ref pending, ref symbols);
            symbols.Add(id, start, end);
            return;
        }

        if (_unknown == -1)
        {
            return; // The format's rule: without an unknown token, unknown characters vanish.
        }

        if (_unknown == -2)
        {
            throw new TokenizerFormatException($"model.unk_token \"{_settings.UnknownToken}\" is not in the vocabulary.");
        }

        if (pending.Start >= 0 && _settings.FuseUnknown)
        {
            pending.End = end;
            return;
        }

        Flush(ref pending, ref symbols);
        pending = (start, end);
    }

    private void Flush(ref (int Start, int End) pending, ref SymbolList symbols)
    {
        if (pending.Start >= 0)
        {
            symbols.Add(_unknown, pending.Start, pending.End);
            pending = (-1, -1);
        }
    }

    private static int[] CharacterIds(Vocabulary vocabulary)
    {
        var ids = new int[0x10000];
        Array.Fill(ids, -1);
        for (var id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.SpellingOf(id) is [var only] && vocabulary.TryGet([only], out var found))
            {
                ids[only] = found;
            }
        }

        return ids;
    }

    /// <summary>Tokens that are one character of two UTF-16 units.</summary>
    private static FrozenDictionary<int, int> FurtherIds(Vocabulary vocabulary)
    {
        var ids = new Dictionary<int, int>();
        for (var id = 0; id < vocabulary.Size; id++)
        {
            if (vocabulary.SpellingOf(id) is [var high, var low] && Rune.TryCreate(high, low, out var rune) && vocabulary.TryGet([high, low], out var found))
            {
                ids[rune.Value] = found;
            }
        }

        return ids.ToFrozenDictionary();
    }

    private static int[] ByteIds(Vocabulary vocabulary, bool byteLevel)
    {
        var ids = new int[256];
        for (var value = 0; value < 256; value++)
        {
            var spelling = byteLevel ? ByteAlphabet.Of((byte)value).ToString() : $"<0x{value:X2}>";
            ids[value] = vocabulary.Find(spelling) ?? -1;
        }

        return ids;
    }
}
