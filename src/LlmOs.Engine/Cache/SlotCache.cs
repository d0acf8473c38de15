using System.Runtime.InteropServices;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Cache;

/// <summary>
/// Keys and values of every sequence: per layer one buffer for K and one for V, [slots, kv heads, capacity, head width] f32,
/// in native memory aligned to 64 bytes. A slot is contiguous, so one slot, or the first n, can be given to the runtime as a view.
/// </summary>
/// <remarks>
/// Memory is reserved: the process has it only as far as <see cref="Prepare"/> was asked for, and until <see cref="GiveBack"/>.
/// What a slot holds beyond its sequence's tokens is undefined. Before the first slot lies a spare one (-1), which nobody owns. Who owns a slot is the scheduler's affair.
/// For the loop's thread only.
/// </remarks>
internal sealed unsafe class SlotCache : IDisposable
{
    // Empty before anything can throw: the finaliser runs for a cache that was refused as well.
    private readonly SlotMemory?[] _keys = [];
    private readonly SlotMemory?[] _values = [];
    private readonly nint[] _crossKeys = [];
    private readonly nint[] _crossValues = [];
    private readonly CrossShape? _cross;
    private readonly int[] _sourceLengths;
    private readonly int[] _prepared; // tokens, by slot
    private readonly int _run;
    private readonly int _kvHeads;
    private readonly int _headDim;
    private bool _disposed;

    /// <param name="capacity">Tokens a slot holds.</param>
    public SlotCache(DecoderShape shape, int slots, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        Slots = slots;
        Capacity = capacity;
        Layers = shape.Layers;
        _kvHeads = shape.KvHeads;
        _headDim = shape.HeadDim;
        _run = Math.Max(1, SlotMemory.RunBytes / (shape.HeadDim * sizeof(float)));
        _prepared = new int[slots];
        _keys = new SlotMemory?[shape.Layers];
        _values = new SlotMemory?[shape.Layers];
        _cross = shape.Cross;
        _crossKeys = new nint[_cross is null ? 0 : shape.Layers];
        _crossValues = new nint[_crossKeys.Length];
        _sourceLengths = new int[slots];
        try
        {
            for (var layer = 0; layer < shape.Layers; layer++)
            {
                _keys[layer] = new SlotMemory(slots, shape.KvHeads, capacity, shape.HeadDim);
                _values[layer] = new SlotMemory(slots, shape.KvHeads, capacity, shape.HeadDim);
            }

            for (var layer = 0; layer < _crossKeys.Length; layer++)
            {
                // Cleared, which costs no memory before it is written: attention multiplies what lies beyond a source by zero,
                // and zero times what is not a number is not zero.
                _crossKeys[layer] = (nint)NativeMemory.AllocZeroed((nuint)((Slots + 1) * SourceSlotBytes));
                _crossValues[layer] = (nint)NativeMemory.AllocZeroed((nuint)((Slots + 1) * SourceSlotBytes));
            }
        }
        catch (OutOfMemoryException refused)
        {
            Free();
            throw new EngineMemoryException(
                $"The KV cache needs {Bytes / (1024 * 1024)} MiB ({slots} slots of {capacity} tokens), which this machine does not give. Lower Engine:Slots or Engine:MaxContext.",
                refused);
        }
    }

    ~SlotCache() => Free();

    public int Slots { get; }

    /// <summary>Tokens a slot holds.</summary>
    public int Capacity { get; }

    public int Layers { get; }

    /// <summary>Bytes reserved.</summary>
    public long Bytes => (2L * Layers * Slots * SlotBytes) + (2L * _crossKeys.Length * Slots * SourceSlotBytes);

    /// <summary>Bytes of one slot in one layer's K (or V).</summary>
    public long SlotBytes => (long)_kvHeads * Capacity * _headDim * sizeof(float);

    /// <summary>Bytes of one slot's source in one layer's K (or V).</summary>
    private long SourceSlotBytes => _cross is null ? 0 : (long)_cross.Heads * _cross.MaxSource * _cross.HeadDim * sizeof(float);

    /// <summary>Tokens of all slots whose memory the process has.</summary>
    public long PreparedTokens { get; private set; }

    public nint KeysOf(int layer, int slot) => _keys[layer]!.Of(slot);

    public nint ValuesOf(int layer, int slot) => _values[layer]!.Of(slot);

    /// <summary>To be called before anything writes a slot's first tokens, or the runtime does.</summary>
    public void Prepare(int slot, int tokens)
    {
        CheckTokens(tokens);
        var (start, end) = (_prepared[slot], InRuns(tokens));
        if (tokens <= start)
        {
            return;
        }

        for (var layer = 0; layer < Layers; layer++)
        {
            _keys[layer]!.Prepare(slot, start, end);
            _values[layer]!.Prepare(slot, start, end);
        }

        PreparedTokens += end - start;
        _prepared[slot] = end;
    }

    /// <summary>Gives the system back what a slot needs for more than its first tokens.</summary>
    public void GiveBack(int slot, int keep)
    {
        var (start, end) = (InRuns(keep), _prepared[slot]);
        if (start >= end)
        {
            return;
        }

        for (var layer = 0; layer < Layers; layer++)
        {
            _keys[layer]!.GiveBack(slot, start, end);
            _values[layer]!.GiveBack(slot, start, end);
        }

        PreparedTokens -= end - start;
        _prepared[slot] = start;
    }

    public nint CrossKeysOf(int layer, int slot) => _crossKeys[layer] + (nint)((slot + 1) * SourceSlotBytes);

    public nint CrossValuesOf(int layer, int slot) => _crossValues[layer] + (nint)((slot + 1) * SourceSlotBytes);

    /// <summary>Tokens of the source whose keys and values a slot holds.</summary>
    public int SourceLength(int slot) => _sourceLengths[slot];

    /// <summary>Writes a layer's keys and values of a source, each [heads, <paramref name="stride"/>, head width], of which <paramref name="tokens"/> count.</summary>
    public void SetSource(int layer, int slot, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, int tokens, int stride)
    {
        var (width, capacity) = (_cross!.HeadDim, _cross.MaxSource * _cross.HeadDim);
        for (var head = 0; head < _cross.Heads; head++)
        {
            var own = keys.Slice(head * stride * width, tokens * width);
            own.CopyTo(new Span<float>((float*)CrossKeysOf(layer, slot) + ((long)head * capacity), own.Length));
            own = values.Slice(head * stride * width, tokens * width);
            own.CopyTo(new Span<float>((float*)CrossValuesOf(layer, slot) + ((long)head * capacity), own.Length));
        }

        _sourceLengths[slot] = tokens;
    }

    /// <summary>Copies a slot's source to another.</summary>
    public void CopySource(int from, int to)
    {
        if (from == to || _cross is null)
        {
            return;
        }

        _sourceLengths[to] = _sourceLengths[from];
        ForSource(_sourceLengths[from], (layer, offset, bytes) =>
        {
            Buffer.MemoryCopy((byte*)CrossKeysOf(layer, from) + offset, (byte*)CrossKeysOf(layer, to) + offset, bytes, bytes);
            Buffer.MemoryCopy((byte*)CrossValuesOf(layer, from) + offset, (byte*)CrossValuesOf(layer, to) + offset, bytes, bytes);
        });
    }

    /// <summary>Copies tokens [start, end) of one slot to the same places of another.</summary>
    public void CopyTokens(int from, int to, int start, int end)
    {
        CheckTokens(end);
        if (from == to || start >= end)
        {
            return;
        }

        Prepare(to, end);
        var bytes = (long)(end - start) * _headDim * sizeof(float);
        for (var layer = 0; layer < Layers; layer++)
        {
            for (var head = 0; head < _kvHeads; head++)
            {
                var offset = HeadOffset(head, start);
                Buffer.MemoryCopy((byte*)KeysOf(layer, from) + offset, (byte*)KeysOf(layer, to) + offset, bytes, bytes);
                Buffer.MemoryCopy((byte*)ValuesOf(layer, from) + offset, (byte*)ValuesOf(layer, to) + offset, bytes, bytes);
            }
        }
    }

    /// <summary>
    /// Exchanges what two slots hold: afterwards <paramref name="a"/> holds what was the first
    /// <paramref name="tokensB"/> tokens of <paramref name="b"/>, and the other way round.
    /// </summary>
    public void Exchange(int a, int tokensA, int b, int tokensB)
    {
        CheckTokens(Math.Max(tokensA, tokensB));
        if (a == b)
        {
            return;
        }

        ExchangeSources(a, b);
        Prepare(a, tokensB);
        Prepare(b, tokensA);
        var both = Math.Min(tokensA, tokensB);
        for (var layer = 0; layer < Layers; layer++)
        {
            for (var head = 0; head < _kvHeads; head++)
            {
                var offset = HeadOffset(head, token: 0);
                SlotMemory.Swap((float*)((byte*)KeysOf(layer, a) + offset), (float*)((byte*)KeysOf(layer, b) + offset), (long)both * _headDim);
                SlotMemory.Swap((float*)((byte*)ValuesOf(layer, a) + offset), (float*)((byte*)ValuesOf(layer, b) + offset), (long)both * _headDim);
            }
        }

        // The longer one's rest has no counterpart worth keeping.
        CopyTokens(a, b, both, tokensA);
        CopyTokens(b, a, both, tokensB);
    }

    /// <summary>Takes the first tokens of a slot, and its source, out of the cache.</summary>
    /// <exception cref="EngineMemoryException">There is no memory for it.</exception>
    public SavedSlot Save(int slot, int tokens)
    {
        CheckTokens(tokens);
        var bytes = (2L * Layers * _kvHeads * tokens * _headDim * sizeof(float)) + (2L * _crossKeys.Length * SourceBytes(_sourceLengths[slot]));
        var saved = new SavedSlot(tokens, _sourceLengths[slot], bytes);
        var to = saved.Memory;
        Visit take = (from, length) =>
        {
            Buffer.MemoryCopy(from, to, length, length);
            to += length;
        };
        ForTokens(slot, tokens, take);
        ForSources(slot, saved.SourceTokens, take);
        return saved;
    }

    /// <summary>Puts what was saved into a slot.</summary>
    public void Restore(SavedSlot saved, int slot)
    {
        var from = saved.Memory;
        _sourceLengths[slot] = saved.SourceTokens;
        Prepare(slot, saved.Tokens);
        Visit put = (to, length) =>
        {
            Buffer.MemoryCopy(from, to, length, length);
            from += length;
        };
        ForTokens(slot, saved.Tokens, put);
        ForSources(slot, saved.SourceTokens, put);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private delegate void Visit(byte* part, long bytes);

    /// <summary>Visits the keys and values of a slot's first tokens, part by part.</summary>
    private void ForTokens(int slot, int tokens, Visit visit)
    {
        var bytes = (long)tokens * _headDim * sizeof(float);
        for (var layer = 0; layer < Layers; layer++)
        {
            for (var head = 0; head < _kvHeads; head++)
            {
                visit((byte*)KeysOf(layer, slot) + HeadOffset(head, token: 0), bytes);
                visit((byte*)ValuesOf(layer, slot) + HeadOffset(head, token: 0), bytes);
            }
        }
    }

    /// <summary>Visits the keys and values of a slot's source, part by part.</summary>
    private void ForSources(int slot, int tokens, Visit visit) => ForSource(tokens, (layer, offset, bytes) =>
    {
        visit((byte*)CrossKeysOf(layer, slot) + offset, bytes);
        visit((byte*)CrossValuesOf(layer, slot) + offset, bytes);
    });

    /// <summary>Bytes of so many tokens of a source in one layer's K (or V).</summary>
    private long SourceBytes(int tokens) => _cross is null ? 0 : (long)_cross.Heads * tokens * _cross.HeadDim * sizeof(float);

    private void ExchangeSources(int a, int b)
    {
        ForSource(Math.Max(_sourceLengths[a], _sourceLengths[b]), (layer, offset, bytes) =>
        {
            SlotMemory.Swap((float*)((byte*)CrossKeysOf(layer, a) + offset), (float*)((byte*)CrossKeysOf(layer, b) + offset), bytes / sizeof(float));
            SlotMemory.Swap((float*)((byte*)CrossValuesOf(layer, a) + offset), (float*)((byte*)CrossValuesOf(layer, b) + offset), bytes / sizeof(float));
        });
        (_sourceLengths[a], _sourceLengths[b]) = (_sourceLengths[b], _sourceLengths[a]);
    }

    /// <summary>Visits the parts of a slot's source: layer, offset in bytes, bytes of so many tokens.</summary>
    private void ForSource(int tokens, Action<int, long, long> visit)
    {
        for (var layer = 0; layer < _crossKeys.Length && tokens > 0; layer++)
        {
            for (var head = 0; head < _cross!.Heads; head++)
            {
                visit(layer, (long)head * _cross.MaxSource * _cross.HeadDim * sizeof(float), (long)tokens * _cross.HeadDim * sizeof(float));
            }
        }
    }

    /// <summary>So many tokens, up to the end of a run.</summary>
    private int InRuns(int tokens) => (int)Math.Min(((long)tokens + _run - 1) / _run * _run, Capacity);

    private long HeadOffset(int head, int token) => (((long)head * Capacity) + token) * _headDim * sizeof(float);

    private void CheckTokens(int tokens)
    {
        if (tokens > Capacity)
        {
            throw new ArgumentOutOfRangeException(nameof(tokens), tokens, $"A slot holds {Capacity} tokens.");
        }
    }

    private void Free()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        foreach (var memory in _keys.Concat(_values))
        {
            memory?.Dispose();
        }

        foreach (var pointer in _crossKeys.Concat(_crossValues))
        {
            NativeMemory.Free((void*)pointer);
        }
    }
}
