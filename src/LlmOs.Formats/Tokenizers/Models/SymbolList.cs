using System.Buffers;

namespace LlmOs.Formats.Tokenizers.Models;

/// <summary>Symbols of one piece while they are merged, with their ranges in UTF-16 units of the piece.</summary>
internal ref struct SymbolList(Span<int> ids, Span<int> starts, Span<int> ends)
{
    private const ulong Rank = 0xFFFF_FFFF_0000_0000;

    // Symbols up to which looking at all pairs again and again is faster than a queue; measured.
    private const int Short = 96;

    private readonly Span<int> _ids = ids;
    private readonly Span<int> _starts = starts;
    private readonly Span<int> _ends = ends;

    public int Count { get; private set; }

    public readonly ReadOnlySpan<int> Ids => _ids[..Count];

    public readonly ReadOnlySpan<int> Starts => _starts[..Count];

    public readonly ReadOnlySpan<int> Ends => _ends[..Count];

    public void Add(int id, int start, int end)
    {
        _ids[Count] = id;
        _starts[Count] = start;
        _ends[Count] = end;
        Count++;
    }

    /// <summary>Merges until no pair has a merge: the lowest rank first, and of equal ranks the leftmost.</summary>
    public void MergeAll(PairTable merges)
    {
        if (Count <= Short)
        {
            MergeShort(merges);
        }
        else
        {
            MergeLong(merges);
        }
    }

    // Few symbols: looking at all pairs again after each merge beats keeping a queue.
    private void MergeShort(PairTable merges)
    {
        Span<ulong> found = stackalloc ulong[Short];
        for (var i = 0; i + 1 < Count; i++)
        {
            found[i] = merges.Find(_ids[i], _ids[i + 1]);
        }

        while (Count > 1)
        {
            var best = ulong.MaxValue;
            var at = -1;
            for (var i = 0; i + 1 < Count; i++)
            {
                // The rank alone is compared, so that of equal ranks the leftmost is kept.
                if (found[i] >> 32 < best >> 32)
                {
                    best = found[i];
                    at = i;
                }
            }

            if (at < 0)
            {
                return;
            }

            _ids[at] = (int)(uint)best;
            _ends[at] = _ends[at + 1];
            var rest = Count - at - 2;
            _ids.Slice(at + 2, rest).CopyTo(_ids[(at + 1)..]);
            _starts.Slice(at + 2, rest).CopyTo(_starts[(at + 1)..]);
            _ends.Slice(at + 2, rest).CopyTo(_ends[(at + 1)..]);
            if (rest > 0)
            {
                found.Slice(at + 2, rest - 1).CopyTo(found[(at + 1)..]);
                found[at] = merges.Find(_ids[at], _ids[at + 1]);
            }

            if (at > 0)
            {
                found[at - 1] = merges.Find(_ids[at - 1], _ids[at]);
            }

            Count--;
        }
    }

    // A queue over a linked list: n log n for a piece of any length.
    private void MergeLong(PairTable merges)
    {
        // Long runs of symbols that never merge (the bytes of emoji) need neither queue nor list.
        var first = 0;
        while (first + 1 < Count && merges.Find(_ids[first], _ids[first + 1]) == ulong.MaxValue)
        {
            first++;
        }

        if (first + 1 >= Count)
        {
            return;
        }

        var next = ArrayPool<int>.Shared.Rent(Count);
        var previous = ArrayPool<int>.Shared.Rent(Count);
        var queue = new PriorityQueue<int, ulong>(Count - first);
        for (var i = 0; i < Count; i++)
        {
            previous[i] = i - 1;
            next[i] = i + 1 < Count ? i + 1 : -1;
            if (i >= first && next[i] > 0)
            {
                Enqueue(queue, merges, i, i + 1);
            }
        }

        while (queue.TryDequeue(out var merged, out var priority))
        {
            var at = (int)(uint)priority;
            var right = next[at];

            // An entry is out of date when one of its two symbols has been merged away since.
            if (right < 0 || _ids[at] < 0)
            {
                continue;
            }

            var value = merges.Find(_ids[at], _ids[right]);
            if (value == ulong.MaxValue || (int)(uint)value != merged)
            {
                continue;
            }

            _ids[at] = merged;
            _ends[at] = _ends[right];
            _ids[right] = -1;
            next[at] = next[right];
            if (next[at] >= 0)
            {
                previous[next[at]] = at;
                Enqueue(queue, merges, at, next[at]);
            }

            if (previous[at] >= 0)
            {
                Enqueue(queue, merges, previous[at], at);
            }
        }

        Compact();
        ArrayPool<int>.Shared.Return(next);
        ArrayPool<int>.Shared.Return(previous);
    }

    private readonly void Enqueue(PriorityQueue<int, ulong> queue, PairTable merges, int left, int right)
    {
        var value = merges.Find(_ids[left], _ids[right]);
        if (value != ulong.MaxValue)
        {
            queue.Enqueue((int)(uint)value, (value & Rank) | (uint)left);
        }
    }

    private void Compact()
    {
        var kept = 0;
        for (var i = 0; i < Count; i++)
        {
            if (_ids[i] >= 0)
            {
                (_ids[kept], _starts[kept], _ends[kept]) = (_ids[i], _starts[i], _ends[i]);
                kept++;
            }
        }

        Count = kept;
    }
}
