using System.Runtime.InteropServices;
using LlmOs.Engine.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>
/// The external data of an ONNX file: tensors in f32, each starting at a multiple of 4096 so that the runtime can map it.
/// Values stream through a small buffer; a model larger than the memory can be written.
/// </summary>
internal sealed class WeightFile : IDisposable
{
    public const string FileName = "weights.bin";

    private const int Alignment = 4096;
    private const int BufferElements = 1 << 18;

    private readonly FileStream _file;
    private readonly float[] _buffer = new float[BufferElements];

    public WeightFile(string folder) =>
        _file = new FileStream(Path.Combine(folder, FileName), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);

    /// <summary>Moves to where the next tensor starts; returns its offset in bytes.</summary>
    public long Align()
    {
        var gap = (Alignment - (int)(_file.Position % Alignment)) % Alignment;
        _file.Write(new byte[gap]);
        return _file.Position;
    }

    public long Position => _file.Position;

    public void Write(ReadOnlySpan<float> values) => _file.Write(MemoryMarshal.AsBytes(values));

    public void WriteZeros(long count)
    {
        _buffer.AsSpan(0, (int)Math.Min(count, BufferElements)).Clear();
        for (; count > 0; count -= BufferElements)
        {
            Write(_buffer.AsSpan(0, (int)Math.Min(count, BufferElements)));
        }
    }

    /// <summary>Copies a run of a published tensor's elements.</summary>
    public void Copy(IWeightSource source, string tensor, long offset, long count, CancellationToken cancel)
    {
        while (count > 0)
        {
            cancel.ThrowIfCancellationRequested();
            var part = _buffer.AsSpan(0, (int)Math.Min(count, BufferElements));
            source.Read(tensor, offset, part);
            Write(part);
            offset += part.Length;
            count -= part.Length;
        }
    }

    /// <summary>Puts the file on the disk itself: a rename that follows must not outlive the data.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    public void Dispose() => _file.Dispose();
}
