using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>
/// The most probable cut into pieces (Kudo 2018), found by Viterbi search; an unknown character costs ten more than
/// the rarest piece, and unknown characters in a row make one token (google/sentencepiece, <c>unigram_model.cc</c>).
/// </summary>
internal sealed class UnigramModel : ITokenModel
{
    private const double UnknownPenalty = 10.0;

    private readonly double[] _scores;
    private readonly int? _unknown;
    private readonly bool _byteFallback;
    private readonly double _unknownScore;
    private readonly SpellingTrie _trie;
    private readonly IReadOnlyList<bool>? _findable;

    // By id: of equal pieces the last one in the list is taken.
    private readonly int[] _chosen;

    // No piece has a ▁ behind another character, so that a text may be cut before each run of them without changing the outcome.
    private readonly bool _breaksBeforeSpace;
    private readonly int[] _byteIds = new int[256];
    private readonly WordCache _cache = new();
    private readonly PieceSearch _search;

    /// <param name="findable">Whether a piece may be found in a text, by id; null: all may.</param>
    /// <param name="minScore">What an unknown character is ten less than; null: the lowest score of all pieces.</param>
    public UnigramModel(IReadOnlyList<(string Piece, double Score)> pieces, int? unknownId, bool byteFallback, IReadOnlyList<bool>? findable = null, double? minScore = null)
    {
        if (unknownId >= pieces.Count)
        {
            throw new TokenizerFormatException($"model.unk_id is {unknownId}, but the vocabulary has {pieces.Count} pieces.");
        }

        _search = Search;
        Vocabulary = Vocabulary.OfList([.. pieces.Select(piece => piece.Piece)]);
        _scores = [.. pieces.Select(piece => piece.Score)];
        if (_scores.Any(score => !double.IsFinite(score)))
        {
            throw new TokenizerFormatException("model.vocab holds a score that is not a finite number.");
        }

        _unknown = unknownId;
        _byteFallback = byteFallback;
        var found = pieces.Select((piece, id) => (piece.Piece, Id: id)).Where(piece => findable is null || findable[piece.Id]).ToArray();
        _unknownScore = (minScore ?? found.Select(piece => _scores[piece.Id]).DefaultIfEmpty().Min()) - UnknownPenalty;
        _trie = new SpellingTrie(found.Select(piece => (piece.Piece, piece.Id)), "model.vocab");
        _findable = findable;
        _chosen = [.. pieces.Select((piece, id) => Vocabulary.TryGet(piece.Piece, out var same) && IsFindable(same) ? same : id)];
        _breaksBeforeSpace = found.Any(piece => piece.Piece == "▁") && !found.Any(piece => MergeTables.JoinsSpace(piece.Piece));
        for (var value = 0; value < 256; value++)
        {
            _byteIds[value] = Vocabulary.Find($"<0x{value:X2}>") ?? -1;
        }
    }

    public string Kind => "Unigram";

    public Vocabulary Vocabulary { get; }

    public int? Unknown => _unknown;

    public void Tokenize(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        if (!_breaksBeforeSpace)
        {
            _cache.Tokenize(piece, at, sink, _search);
            return;
        }

        foreach (var part in SpaceParts.Of(piece))
        {
            _cache.Tokenize(piece[part], at + part.Start.Value, sink, _search);
        }
    }

    // Compiled for speed at once: what the runtime learns from short words makes it slow for a long one.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Search(ReadOnlySpan<char> piece, int at, TokenSink sink)
    {
        var size = piece.Length + 1;
        var scores = ArrayPool<double>.Shared.Rent(size);
        var from = ArrayPool<int>.Shared.Rent(size);
        var ids = ArrayPool<int>.Shared.Rent(size);
        var next = ArrayPool<int>.Shared.Rent(size);
        scores.AsSpan(0, size).Clear();
        from.AsSpan(0, size).Fill(-1);

        for (var start = 0; start < piece.Length;)
        {
            if (start > 0 && from[start] < 0)
            {
                start++; // without an unknown token, no cut comes by here
                continue;
            }

            var character = char.IsHighSurrogate(piece[start]) && start + 1 < piece.Length ? 2 : 1;
            var single = false;
            var node = 0;
            for (var i = start; i < piece.Length && _trie.Step(ref node, piece[i], out var id); i++)
            {
                if (id >= 0)
                {
                    Offer(start, i + 1, id, _scores[id]);
                    single |= i + 1 - start == character;
                }
            }

            if (!single && _unknown is { } unknown)
            {
                Offer(start, start + character, unknown, _unknownScore);
            }

            start += character;
        }

        var isCut = piece.IsEmpty || from[piece.Length] >= 0;
        if (isCut)
        {
            Collect(piece, at, from, ids, next, sink);
        }

        ArrayPool<double>.Shared.Return(scores);
        ArrayPool<int>.Shared.Return(from);
        ArrayPool<int>.Shared.Return(ids);
        ArrayPool<int>.Shared.Return(next);
        if (!isCut)
        {
            throw new TokenizerFormatException("model.unk_id is missing, and the text has a character that no piece covers.");
        }

        void Offer(int start, int end, int id, double score)
        {
            var total = scores[start] + score;
            if (from[end] < 0 || total > scores[end])
            {
                (scores[end], from[end], ids[end]) = (total, start, id);
            }
        }
    }

    private void Collect(ReadOnlySpan<char> piece, int at, int[] from, int[] ids, int[] next, TokenSink sink)
    {
        // Backwards over the best cut, unknown characters in a row as one, noting for each start the end that belongs to it.
        for (var end = piece.Length; end > 0;)
        {
            var (start, id) = (from[end], ids[end]);
            while (id == _unknown && start > 0 && ids[start] == _unknown)
            {
                start = from[start];
            }

            next[start] = end;
            end = start;
        }

        for (var start = 0; start < piece.Length; start = next[start])
        {
            var (end, id) = (next[start], ids[next[start]]);
            if (id == _unknown)
            {
                AddUnknown(piece[start..end], at + start, at + end, sink);
            }
            else
            {
                sink.Add(_chosen[id], at + start, at + end);
            }
        }
    }

    private void AddUnknown(ReadOnlySpan<char> text, int start, int end, TokenSink sink)
    {
        if (Vocabulary.TryGet(text, out var whole) && IsFindable(whole))
        {
            sink.Add(whole, start, end);
            return;
        }

        var bytes = _byteFallback ? Encoding.UTF8.GetBytes(text.ToString()) : [];
        if (bytes.Length > 0 && bytes.All(value => _byteIds[value] >= 0))
        {
            foreach (var value in bytes)
            {
                sink.Add(_byteIds[value], start, end);
            }
        }
        else
        {
            sink.Add(_unknown!.Value, start, end);
        }
    }

    private bool IsFindable(int id) => _findable is null || _findable[id];
}
