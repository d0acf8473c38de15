using System.Runtime.InteropServices;
using System.Text;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Learns the merges of a byte-level BPE (Sennrich et al., arXiv:1508.07909, on bytes): the most frequent pair first;
/// among equally frequent ones the pair whose bytes are greater, first token before second.
/// </summary>
/// <remarks>
/// A pair that spells a token which is already there is never merged: a vocabulary names each token once.
/// Pairs seen less than twice teach nothing, so a small text may end with a smaller vocabulary than was asked for.
/// </remarks>
internal sealed class BytePairTrainer
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    /// <summary>Counts the words of a piece of text; pieces end where <see cref="Training.TextChunks"/> cuts.</summary>
    public void Add(ReadOnlySpan<char> text)
    {
        var lookup = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
        while (text.Length > 0)
        {
            var length = WordSplitter.NextLength(text);
            CollectionsMarshal.GetValueRefOrAddDefault(lookup, text[..length], out _)++;
            text = text[length..];
        }
    }

    /// <param name="vocabulary">Tokens wanted: special ones, 256 bytes and merges.</param>
    /// <param name="specialTokens">They get the first ids.</param>
    /// <param name="cancel">Stops between two merges.</param>
    public BytePairs Train(int vocabulary, IReadOnlyList<string> specialTokens, CancellationToken cancel)
    {
        var tokens = new List<byte[]>(vocabulary);
        tokens.AddRange(ByteAlphabet.Order.Select(b => new[] { b }));
        var known = new HashSet<string>(tokens.Select(t => ByteAlphabet.Spell(t)), StringComparer.Ordinal);
        var merges = new List<(int Left, int Right)>();
        var state = new PairCounts(_counts, tokens);

        while (specialTokens.Count + tokens.Count < vocabulary && state.TakeBest() is { } best)
        {
            cancel.ThrowIfCancellationRequested();
            byte[] joined = [.. tokens[best.Left], .. tokens[best.Right]];
            if (!known.Add(ByteAlphabet.Spell(joined)))
            {
                continue;
            }

            merges.Add(best);
            tokens.Add(joined);
            state.Merge(best, tokens.Count - 1);
        }

        return new BytePairs(specialTokens, tokens, merges);
    }

    /// <summary>How often each pair stands next to each other, kept up to date while words shrink.</summary>
    private sealed class PairCounts
    {
        private readonly List<(int[] Symbols, long Count)> _words = [];
        private readonly Dictionary<(int, int), long> _pairs = [];
        private readonly Dictionary<(int, int), HashSet<int>> _where = [];
        private readonly PriorityQueue<(int, int), (long Count, int Left, int Right)> _queue;

        public PairCounts(Dictionary<string, long> counts, List<byte[]> tokens)
        {
            _queue = new(Comparer<(long Count, int Left, int Right)>.Create((x, y) =>
            {
                var order = y.Count.CompareTo(x.Count);
                order = order != 0 ? order : tokens[y.Left].AsSpan().SequenceCompareTo(tokens[x.Left]);
                return order != 0 ? order : tokens[y.Right].AsSpan().SequenceCompareTo(tokens[x.Right]);
            }));

            var idOfByte = new int[256];
            for (var id = 0; id < 256; id++)
            {
                idOfByte[ByteAlphabet.Order[id]] = id;
            }

            foreach (var (word, count) in counts)
            {
                _words.Add(([.. Encoding.UTF8.GetBytes(word).Select(b => idOfByte[b])], count));
                Change(_words.Count - 1, 1, null);
            }

            foreach (var pair in _pairs.Keys)
            {
                Enqueue(pair);
            }
        }

        /// <summary>Removes and returns the best pair; null when none is frequent enough.</summary>
        public (int Left, int Right)? TakeBest()
        {
            while (_queue.TryDequeue(out var pair, out var seen))
            {
                var count = _pairs.GetValueOrDefault(pair);
                if (count == seen.Count)
                {
                    return count < 2 ? null : pair;
                }

                // Words changed since it was queued: it may stand lower now.
                if (count > 0)
                {
                    _queue.Enqueue(pair, (count, pair.Item1, pair.Item2));
                }
            }

            return null;
        }

        public void Merge((int Left, int Right) pair, int id)
        {
            if (!_where.Remove(pair, out var words))
            {
                return;
            }

            var fresh = new HashSet<(int, int)>();
            foreach (var index in words)
            {
                Change(index, -1, null);
                var (symbols, count) = _words[index];
                _words[index] = (Joined(symbols, pair, id), count);
                Change(index, 1, fresh);
            }

            _pairs.Remove(pair);
            foreach (var made in fresh.Where(p => p.Item1 == id || p.Item2 == id))
            {
                Enqueue(made);
            }
        }

        private void Enqueue((int Left, int Right) pair) => _queue.Enqueue(pair, (_pairs[pair], pair.Left, pair.Right));

        private void Change(int index, int sign, HashSet<(int, int)>? seen)
        {
            var (symbols, count) = _words[index];
            for (var i = 0; i + 1 < symbols.Length; i++)
            {
                var pair = (symbols[i], symbols[i + 1]);
                CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _) += sign * count;
                seen?.Add(pair);
                if (sign > 0)
                {
                    ref var where = ref CollectionsMarshal.GetValueRefOrAddDefault(_where, pair, out _);
                    (where ??= []).Add(index);
                }
            }
        }

        private static int[] Joined(int[] symbols, (int Left, int Right) pair, int id)
        {
            var joined = new List<int>(symbols.Length);
            for (var i = 0; i < symbols.Length; i++)
            {
                var isPair = i + 1 < symbols.Length && symbols[i] == pair.Left && symbols[i + 1] == pair.Right;
                joined.Add(isPair ? id : symbols[i]);
                i += isPair ? 1 : 0;
            }

            return [.. joined];
        }
    }
}
