using System.Runtime.InteropServices;
using LlmOs.Models.Zoo.Blocks;

namespace LlmOs.Models.Zoo;

/// <summary>
/// The external data of an ONNX file: tensors, each starting at a multiple of 4096 so that the runtime can map it.
/// Values stream through; a model larger than the memory can be written.
/// </summary>
internal sealed class WeightFile : IFloatSink, IDisposable
{
    public const string FileName = "weights.bin";

    private const int Alignment = 4096;

    private readonly FileStream _file;

    public WeightFile(string folder, string name = FileName) =>
        _file = new FileStream(Path.Combine(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);

    /// <summary>Moves to where the next tensor starts; returns its offset in bytes.</summary>
    public long Align()
    {
        var gap = (Alignment - (int)(_file.Position % Alignment)) % Alignment;
        _file.Write(new byte[gap]);
        return _file.Position;
    }

    public long Position => _file.Position;

    public void WriteBytes(ReadOnlySpan<byte> bytes) => _file.Write(bytes);

    /// <summary>Takes back what was written from this position on.</summary>
    public void Rewind(long position)
    {
        _file.Position = position;
        _file.SetLength(position);
    }

    public void Write(ReadOnlySpan<float> values) => _file.Write(MemoryMarshal.AsBytes(values));

    /// <summary>Puts the file on the disk itself: a rename that follows must not outlive the data.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    public void Dispose() => _file.Dispose();
}
