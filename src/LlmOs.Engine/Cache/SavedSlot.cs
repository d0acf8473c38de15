using System.Runtime.InteropServices;

namespace LlmOs.Engine.Cache;

/// <summary>What a slot held, out of the cache, so that another sequence can have the slot meanwhile. To be disposed of.</summary>
internal sealed unsafe class SavedSlot : IDisposable
{
    private nint _memory;

    /// <exception cref="EngineMemoryException">There is no memory for it.</exception>
    public SavedSlot(int tokens, int sourceTokens, long bytes)
    {
        (Tokens, SourceTokens, Bytes) = (tokens, sourceTokens, bytes);
        try
        {
            _memory = (nint)NativeMemory.Alloc((nuint)Math.Max(bytes, 1));
        }
        catch (OutOfMemoryException refused)
        {
            throw new EngineMemoryException($"There is no memory ({bytes >> 20} MiB) to keep the {tokens} tokens of a sequence that must make room.", refused);
        }
    }

    ~SavedSlot() => Free();

    public int Tokens { get; }

    public int SourceTokens { get; }

    public long Bytes { get; }

    public byte* Memory => (byte*)_memory;

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.Free((void*)_memory);
        _memory = 0;
    }
}
