using System.Runtime.InteropServices;

namespace LlmOs.Engine.Cache;

/// <summary>
/// Native memory of [slots, rows, capacity, width] f32 that the process has only as far as it is prepared: reserved at first,
/// brought in for a slot's first tokens in runs, and given back to the system in runs.
/// </summary>
/// <remarks>
/// A run is brought in at once, so that its pages are likely to lie side by side, and before the step that writes it, so that
/// the runtime's threads do not wait for the system in the middle of a step.
/// </remarks>
internal sealed unsafe partial class SlotMemory : IDisposable
{
    /// <summary>Bytes of a run of one row.</summary>
    public const int RunBytes = 64 * 1024;

    private const int Alignment = 64;
    private const int SwapFloats = 1024;
    private const int DontNeed = 4; // MADV_DONTNEED, the same on every Linux
    private static readonly nint PageBytes = Environment.SystemPageSize;

    private readonly int _rows;
    private readonly long _rowBytes;
    private readonly long _tokenBytes;
    private nint _memory;
    private readonly nint _first; // slot 0

    /// <param name="rows">Rows of a slot, each of <paramref name="capacity"/> tokens.</param>
    /// <param name="width">Numbers of a token in a row.</param>
    /// <exception cref="OutOfMemoryException">The system does not give that much.</exception>
    public SlotMemory(int slots, int rows, int capacity, int width)
    {
        (_rows, _tokenBytes, _rowBytes) = (rows, (long)width * sizeof(float), (long)capacity * width * sizeof(float));
        var spare = (SlotBytes + Alignment - 1) / Alignment * Alignment;
        _memory = (nint)NativeMemory.AlignedAlloc((nuint)(spare + (slots * SlotBytes)), Alignment);
        _first = _memory + (nint)spare;
    }

    ~SlotMemory() => Free();

    public long SlotBytes => _rows * _rowBytes;

    /// <summary>Where a slot begins; -1 is the spare one that lies before the first.</summary>
    public nint Of(int slot) => _first + (nint)(slot * SlotBytes);

    /// <summary>Brings in what tokens [start, end) of a slot need. What was there is lost.</summary>
    public void Prepare(int slot, int start, int end)
    {
        for (var row = 0; row < _rows; row++)
        {
            NativeMemory.Clear((void*)(Of(slot) + (nint)((row * _rowBytes) + (start * _tokenBytes))), (nuint)((end - start) * _tokenBytes));
        }
    }

    /// <summary>Gives back what only tokens [start, end) of a slot need, in whole pages. What was there is lost.</summary>
    public void GiveBack(int slot, int start, int end)
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // reserved again it would have to be; what was used once stays
        }

        for (var row = 0; row < _rows; row++)
        {
            var begin = Of(slot) + (nint)((row * _rowBytes) + (start * _tokenBytes));
            var first = (begin + PageBytes - 1) / PageBytes * PageBytes;
            var last = (begin + (nint)((end - start) * _tokenBytes)) / PageBytes * PageBytes;
            if (last > first)
            {
                _ = Advise(first, (nuint)(last - first), DontNeed); // refused, the memory stays: nothing else changes
            }
        }
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Exchanges numbers.</summary>
    public static void Swap(float* x, float* y, long count)
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

    private void Free()
    {
        NativeMemory.AlignedFree((void*)_memory);
        _memory = 0;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint address, nuint length, int advice);
}
