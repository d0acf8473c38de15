using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LlmOs.Formats;

/// <summary>
/// One safetensors file, opened for reading. Opening checks the whole header; the data is read in place when asked for,
/// so that a file larger than the memory can be used, and one that shrinks under us is an error instead of a crash.
/// </summary>
public sealed class SafetensorsFile : IWeightSource, IDisposable
{
    /// <summary>Bytes read at once when elements must be widened.</summary>
    private const int ChunkBytes = 1 << 20;

    private readonly SafeFileHandle _handle;
    private readonly string _file;
    private readonly Dictionary<string, StoredTensor> _tensors;

    private SafetensorsFile(SafeFileHandle handle, string file, SafetensorsContent content)
    {
        _handle = handle;
        _file = file;
        _tensors = content.Tensors.ToDictionary(t => t.Info.Name, StringComparer.Ordinal);
        Tensors = [.. content.Tensors.Select(t => t.Info)];
        Aliases = content.Aliases;
        foreach (var (alias, name) in Aliases)
        {
            _tensors.Add(alias, _tensors[name] with { Info = _tensors[name].Info with { Name = alias } });
        }
    }

    /// <summary>In the order of their bytes.</summary>
    public IReadOnlyCollection<TensorInfo> Tensors { get; }

    public IReadOnlyDictionary<string, string> Aliases { get; }

    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it; null takes the path's last part.</param>
    /// <exception cref="ModelFormatException">The header contradicts itself or the file's length.</exception>
    public static SafetensorsFile Open(string path, string? name = null)
    {
        name ??= Path.GetFileName(path);
        LfsPointer.RefuseFile(path, name);
        var handle = File.OpenHandle(path);
        try
        {
            var content = SafetensorsHeader.Read((offset, buffer) => Fill(handle, offset, buffer, name), RandomAccess.GetLength(handle), name);
            return new SafetensorsFile(handle, name, content);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public TensorInfo? Find(string name) => _tensors.TryGetValue(name, out var tensor) ? tensor.Info : null;

    public void Read(string name, long offset, Span<float> destination)
    {
        var tensor = _tensors[name];
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, tensor.Info.Elements - offset, nameof(destination));

        switch (tensor.Info.Type)
        {
            case TensorType.F32:
                Fill(_handle, tensor.Offset + offset * sizeof(float), MemoryMarshal.AsBytes(destination), _file);
                break;
            case TensorType.F16:
                ReadNarrow(tensor, offset, destination, FloatConversion.FromHalf);
                break;
            case TensorType.BF16:
                ReadNarrow(tensor, offset, destination, FloatConversion.FromBrain);
                break;
            default:
                throw new ModelFormatException(
                    ModelFormatProblem.UnsupportedFormat,
                    $"{_file}: tensor '{name}' is stored as {tensor.Info.Type}; weights are read from F32, F16 and BF16.");
        }
    }

    public void Dispose() => _handle.Dispose();

    private void ReadNarrow(StoredTensor tensor, long offset, Span<float> destination, Widen widen)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            while (!destination.IsEmpty)
            {
                var count = Math.Min(destination.Length, ChunkBytes / sizeof(ushort));
                var bytes = buffer.AsSpan(0, count * sizeof(ushort));
                Fill(_handle, tensor.Offset + offset * sizeof(ushort), bytes, _file);
                widen(bytes, destination[..count]);
                destination = destination[count..];
                offset += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Fill(SafeFileHandle handle, long offset, Span<byte> buffer, string file)
    {
        while (!buffer.IsEmpty)
        {
            var read = RandomAccess.Read(handle, buffer, offset);
            if (read == 0)
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file}: it ends before byte {offset + buffer.Length}, which its header needs.");
            }

            buffer = buffer[read..];
            offset += read;
        }
    }

    private delegate void Widen(ReadOnlySpan<byte> source, Span<float> destination);
}
