using System.Runtime.InteropServices;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Cache;

/// <summary>
/// Keys and values of every sequence: per layer one buffer for K and one for V, [slots, kv heads, capacity, head width] f32,
/// in native memory aligned to 64 bytes. A slot is contiguous, so one slot, or the first n, can be given to the runtime as a view.
/// </summary>
/// <remarks>
/// Memory is reserved, not cleared: what a slot holds beyond its sequence's tokens is undefined, and the process grows only
/// by what is written. Accounting (which slot is taken) and contents are separate: a slot given back keeps its contents
/// until it is used again. For the loop's thread only.
/// </remarks>
internal sealed unsafe class SlotCache : IDisposable
{
    private const int Alignment = 64;
    private const int SwapFloats = 1024;

    private readonly nint[] _keys;
    private readonly nint[] _values;
    private readonly bool[] _taken;
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
        _taken = new bool[slots];
        _keys = new nint[shape.Layers];
        _values = new nint[shape.Layers];
        try
        {
            for (var layer = 0; layer < shape.Layers; layer++)
            {
                _keys[layer] = (nint)NativeMemory.AlignedAlloc((nuint)LayerBytes, Alignment);
                _values[layer] = (nint)NativeMemory.AlignedAlloc((nuint)LayerBytes, Alignment);
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
    public long Bytes => 2L * Layers * LayerBytes;

    /// <summary>Bytes of one slot in one layer's K (or V).</summary>
    public long SlotBytes => (long)_kvHeads * Capacity * _headDim * sizeof(float);

    /// <summary>Slots that belong to somebody.</summary>
    public int Taken { get; private set; }

    private long LayerBytes => Slots * SlotBytes;

    public nint KeysOf(int layer, int slot) => _keys[layer] + (nint)(slot * SlotBytes);

    public nint ValuesOf(int layer, int slot) => _values[layer] + (nint)(slot * SlotBytes);

    public bool IsTaken(int slot) => _taken[slot];

    public void Take(int slot)
    {
        if (_taken[slot])
        {
            throw new InvalidOperationException($"Slot {slot} is already taken.");
        }

        _taken[slot] = true;
        Taken++;
    }

    /// <summary>Frees the slot; its contents stay until it is used again.</summary>
    public void GiveBack(int slot)
    {
        if (!_taken[slot])
        {
            throw new InvalidOperationException($"Slot {slot} is not taken.");
        }

        _taken[slot] = false;
        Taken--;
    }

    /// <summary>Copies tokens [start, end) of one slot to the same places of another.</summary>
    public void CopyTokens(int from, int to, int start, int end)
    {
        CheckTokens(end);
        if (from == to || start >= end)
        {
            return;
        }

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
    /// Exchanges two slots, owners and contents: afterwards <paramref name="a"/> holds what was the first
    /// <paramref name="tokensB"/> tokens of <paramref name="b"/>, and the other way round.
    /// </summary>
    public void Exchange(int a, int tokensA, int b, int tokensB)
    {
        CheckTokens(Math.Max(tokensA, tokensB));
        if (a == b)
        {
            return;
        }

        (_taken[a], _taken[b]) = (_taken[b], _taken[a]);
        var both = Math.Min(tokensA, tokensB);
        for (var layer = 0; layer < Layers; layer++)
        {
            for (var head = 0; head < _kvHeads; head++)
            {
                var offset = HeadOffset(head, token: 0);
                Swap((float*)((byte*)KeysOf(layer, a) + offset), (float*)((byte*)KeysOf(layer, b) + offset), (long)both * _headDim);
                Swap((float*)((byte*)ValuesOf(layer, a) + offset), (float*)((byte*)ValuesOf(layer, b) + offset), (long)both * _headDim);
            }
        }

        // The longer one's rest has no counterpart worth keeping.
        CopyTokens(a, b, both, tokensA);
        CopyTokens(b, a, both, tokensB);
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private static void Swap(float* x, float* y, long count)
    {
        Span<float> held = stackalloc float[SwapFloats];
        for (var at = 0L; at < count; at += SwapFloats)
        {
            var length = (int)Math.Min(SwapFloats, count - at);
            var xs = new Span<float>(x + at, length);
            var ys = new Span<float>(y + at, length);
            xs.CopyTo(held);
            ys.CopyTo(xs);
            held[..length].CopyTo(ys);
        }
    }

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
        foreach (var pointer in _keys.Concat(_values))
        {
            NativeMemory.AlignedFree((void*)pointer);
        }
    }
}
