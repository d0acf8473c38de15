using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace LlmOs.Trainer.Corpus;

/// <summary>Token ids on disk as little-endian uint16, mapped into memory: a text larger than the memory can be trained on.</summary>
internal sealed unsafe class TokenFile : IDisposable
{
    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly ushort* _tokens;

    private TokenFile(string path)
    {
        Count = new FileInfo(path).Length / sizeof(ushort);
        if (Count == 0)
        {
            return; // an empty file cannot be mapped
        }

        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _tokens = (ushort*)(start + _view.PointerOffset);
    }

    public long Count { get; }

    public static TokenFile Open(string path) => new(path);

    /// <summary>Copies ids out, widened to what torch looks up with.</summary>
    public void Read(long start, Span<long> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Count - start, nameof(destination));
        var source = new ReadOnlySpan<ushort>(_tokens + start, destination.Length);
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = source[i];
        }
    }

    /// <summary>Appends ids, all below 65,536.</summary>
    public static void Append(Stream stream, List<int> ids)
    {
        var narrow = new ushort[ids.Count];
        for (var i = 0; i < narrow.Length; i++)
        {
            narrow[i] = checked((ushort)ids[i]);
        }

        stream.Write(MemoryMarshal.AsBytes<ushort>(narrow));
    }

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}
