using System.Runtime.InteropServices;

namespace LlmOs.Tools.Tokenizers;

/// <summary>How often each pair stands next to each other, kept up to date while words shrink.</summary>
internal sealed class PairCounts
{
    private readonly List<(int[] Symbols, long Count)> _words = [];
    private readonly Dictionary<(int, int), long> _pairs = [];
    private readonly Dictionary<(int, int), HashSet<int>> _where = [];
    private readonly PriorityQueue<(int, int), (long Count, int Left, int Right)> _queue;

    /// <param name="words">Each as ids of its symbols, and how often it stands in the text.</param>
    /// <param name="ties">Of two equally frequent pairs the lesser one is merged first.</param>
    public PairCounts(IEnumerable<(int[] Symbols, long Count)> words, Comparison<(int Left, int Right)> ties)
    {
        _queue = new(Comparer<(long Count, int Left, int Right)>.Create((x, y) =>
        {
            var order = y.Count.CompareTo(x.Count);
            return order != 0 ? order : ties((x.Left, x.Right), (y.Left, y.Right));
        }));

        foreach (var word in words)
        {
            _words.Add(word);
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

            // Words have changed since the pair was queued, so its count may be lower now.
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
