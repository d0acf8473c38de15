using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using LlmOs.Tools.Training;

namespace LlmOs.Trainer.Corpus;

/// <summary>
/// Token ids on disk, little-endian, mapped into memory: a text larger than the memory can be trained on. They take 16 bits
/// (<c>.bin</c>) where the vocabulary allows it, else 32 (<c>.u32</c>): the name says which, so a job that goes on reads its own files.
/// </summary>
internal sealed unsafe class TokenFile : IDisposable
{
    private const string Narrow = ".bin";
    private const string Wide = ".u32";

    private readonly MemoryMappedFile? _file;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly byte* _start;
    private readonly bool _isWide;

    private TokenFile(string path)
    {
        _isWide = Path.GetExtension(path) == Wide;
        var bytes = new FileInfo(path).Length;
        Count = bytes / (_isWide ? sizeof(uint) : sizeof(ushort));
        if (Count == 0)
        {
            return; // an empty file cannot be mapped
        }

        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset;
    }

    public long Count { get; }

    /// <summary>Opens the file of that name, whichever width its ids have.</summary>
    /// <param name="name">Without its ending.</param>
    public static TokenFile Open(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        return new TokenFile(File.Exists(path + Wide) ? path + Wide : path + Narrow);
    }

    /// <summary>Starts a file for ids of a vocabulary.</summary>
    public static TokenWriter Create(string folder, string name, int vocabulary)
    {
        var isWide = vocabulary > TrainingPlan.NarrowVocabulary;
        return new TokenWriter(File.Create(Path.Combine(folder, name + (isWide ? Wide : Narrow))), isWide);
    }

    /// <summary>Copies ids out, widened to what torch looks up with.</summary>
    public void Read(long start, Span<long> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, Count - start, nameof(destination));
        if (_isWide)
        {
            var wide = new ReadOnlySpan<uint>((uint*)_start + start, destination.Length);
            for (var i = 0; i < wide.Length; i++)
            {
                destination[i] = wide[i];
            }

            return;
        }

        var narrow = new ReadOnlySpan<ushort>((ushort*)_start + start, destination.Length);
        for (var i = 0; i < narrow.Length; i++)
        {
            destination[i] = narrow[i];
        }
    }

    public void Dispose()
    {
        _view?.SafeMemoryMappedViewHandle.ReleasePointer();
        _view?.Dispose();
        _file?.Dispose();
    }
}

/// <summary>Writes ids one stretch after the other.</summary>
internal sealed class TokenWriter(Stream stream, bool isWide) : IDisposable
{
    /// <param name="ids">All below the vocabulary that the file was started for.</param>
    public void Append(List<int> ids)
    {
        if (isWide)
        {
            stream.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(ids)));
            return;
        }

        var narrow = new ushort[ids.Count];
        for (var i = 0; i < narrow.Length; i++)
        {
            narrow[i] = checked((ushort)ids[i]);
        }

        stream.Write(MemoryMarshal.AsBytes<ushort>(narrow));
    }

    public void Dispose() => stream.Dispose();
}
