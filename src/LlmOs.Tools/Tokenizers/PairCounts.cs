using System.Runtime.InteropServices;

namespace LlmOs.Tools.Tokenizers;

/// <summary>How often each pair stands next to each other, kept up to date while words shrink.</summary>
/// <remarks>
/// All words lie behind one another as a linked list of symbols, and each pair knows its places, so that a merge costs what it
/// changes: a text that is one word is learnt from as fast as one of many.
/// </remarks>
internal sealed class PairCounts
{
    private const int None = -1;

    // By place. A symbol that was merged into the one before it is None.
    private readonly int[] _symbols;
    private readonly int[] _next;
    private readonly int[] _before;
    private readonly int[] _wordOf;

    private readonly List<long> _counts = []; // by word
    private readonly Dictionary<(int Left, int Right), Pair> _pairs = [];
    private readonly PriorityQueue<(int Left, int Right), (long Count, int Left, int Right)> _queue;

    /// <param name="words">Each as ids of its symbols, and how often it stands in the text.</param>
    /// <param name="ties">Of two equally frequent pairs the lesser one is merged first.</param>
    public PairCounts(IEnumerable<(int[] Symbols, long Count)> words, Comparison<(int Left, int Right)> ties)
    {
        _queue = new(Comparer<(long Count, int Left, int Right)>.Create((x, y) =>
        {
            var order = y.Count.CompareTo(x.Count);
            return order != 0 ? order : ties((x.Left, x.Right), (y.Left, y.Right));
        }));

        List<int> symbols = [], wordOf = [];
        foreach (var (word, count) in words)
        {
            symbols.AddRange(word);
            CollectionsMarshal.SetCount(wordOf, symbols.Count);
            CollectionsMarshal.AsSpan(wordOf)[(symbols.Count - word.Length)..].Fill(_counts.Count);
            _counts.Add(count);
        }

        (_symbols, _wordOf) = ([.. symbols], [.. wordOf]);
        (_next, _before) = (new int[_symbols.Length], new int[_symbols.Length]);
        for (var at = 0; at < _symbols.Length; at++)
        {
            _before[at] = at > 0 && _wordOf[at - 1] == _wordOf[at] ? at - 1 : None;
            _next[at] = at + 1 < _symbols.Length && _wordOf[at + 1] == _wordOf[at] ? at + 1 : None;
            if (_next[at] != None)
            {
                AddAt(at);
            }
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
            if (CountOf(pair) == seen.Count)
            {
                return pair;
            }

            // Words have changed since the pair was queued, so its count may be lower now.
            Enqueue(pair);
        }

        return null;
    }

    /// <summary>Puts one symbol in the place of each such pair, from left to right.</summary>
    public void Merge((int Left, int Right) pair, int id)
    {
        if (!_pairs.Remove(pair, out var merged))
        {
            return;
        }

        merged.Places.Sort(); // nearly always they are in order
        var made = new HashSet<(int, int)>();
        foreach (var at in merged.Places)
        {
            var right = _next[at];
            if (_symbols[at] != pair.Left || right == None || _symbols[right] != pair.Right)
            {
                continue; // an earlier merge took one of them
            }

            var (before, after) = (_before[at], _next[right]);
            if (before != None)
            {
                TakeAway((_symbols[before], pair.Left), at);
            }

            if (after != None)
            {
                TakeAway((pair.Right, _symbols[after]), at);
                _before[after] = at;
            }

            (_symbols[at], _symbols[right], _next[at]) = (id, None, after);
            if (before != None)
            {
                made.Add(AddAt(before));
            }

            if (after != None)
            {
                made.Add(AddAt(at));
            }
        }

        foreach (var fresh in made)
        {
            Enqueue(fresh);
        }
    }

    private long CountOf((int, int) pair) => _pairs.TryGetValue(pair, out var known) ? known.Count : 0;

    /// <summary>A pair seen once teaches nothing.</summary>
    private void Enqueue((int Left, int Right) pair)
    {
        if (CountOf(pair) is > 1 and var count)
        {
            _queue.Enqueue(pair, (count, pair.Left, pair.Right));
        }
    }

    private (int Left, int Right) AddAt(int place)
    {
        var pair = (_symbols[place], _symbols[_next[place]]);
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
        known ??= new Pair();
        known.Count += _counts[_wordOf[place]];
        known.Places.Add(place);
        return pair;
    }

    private void TakeAway((int, int) pair, int place)
    {
        // The pair that is being merged is gone already.
        if (_pairs.TryGetValue(pair, out var known) && (known.Count -= _counts[_wordOf[place]]) == 0)
        {
            _pairs.Remove(pair);
        }
    }

    private sealed class Pair
    {
        public long Count { get; set; }

        /// <summary>Where it stood when it was seen; it may be gone from some.</summary>
        public List<int> Places { get; } = [];
    }
}
