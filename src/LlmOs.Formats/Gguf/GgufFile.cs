using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace LlmOs.Formats.Gguf;

/// <summary>
/// A GGUF file, or the parts of a split one, opened for reading. Opening checks every header; data is read in place when
/// asked for, so that a file larger than the memory can be used, and one that shrinks under us is an error instead of a crash.
/// Safe to read from several threads.
/// </summary>
public sealed class GgufFile : IDisposable
{
    /// <summary>Maximum parts of a split file.</summary>
    public const int MaxParts = 1000;

    /// <summary>Bytes read at once when elements must be widened; holds whole blocks of every type.</summary>
    private const int ChunkBytes = 1 << 20;

    private readonly List<SafeFileHandle> _handles = [];
    private readonly Dictionary<string, (GgufTensor Tensor, SafeFileHandle Handle, string File)> _tensors = new(StringComparer.Ordinal);
    private readonly List<GgufTensor> _inOrder = [];

    private GgufFile()
    {
    }

    /// <summary>Of the first part: the others repeat only what concerns the split.</summary>
    public GgufMetadata Metadata { get; private set; } = null!; // the first part sets it, and there is always one

    /// <summary>Part by part, in the order of their bytes.</summary>
    public IReadOnlyList<GgufTensor> Tensors => _inOrder;

    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it; null takes the path's last part.</param>
    /// <exception cref="ModelFormatException">The header contradicts itself or the file's length, or the file is one part of several.</exception>
    public static GgufFile Open(string path, string? name = null) => Open([(name ?? Path.GetFileName(path), path)]);

    /// <summary>Opens the parts of a split file as one.</summary>
    /// <param name="parts">Name for messages, and path of each, in their order.</param>
    /// <exception cref="ModelFormatException">A header contradicts itself, a part is missing, out of its place or of another file.</exception>
    public static GgufFile Open(IReadOnlyList<(string Name, string Path)> parts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(parts.Count, nameof(parts));
        var file = new GgufFile();
        try
        {
            for (var i = 0; i < parts.Count; i++)
            {
                LfsPointer.RefuseFile(parts[i].Path, parts[i].Name);
                file.Add(i, parts.Count, parts[i].Name, parts[i].Path);
            }

            file.CheckCount(parts[0].Name);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of that name, or null.</summary>
    public GgufTensor? Find(string name) => _tensors.TryGetValue(name, out var entry) ? entry.Tensor : null;

    /// <summary>Reads stored bytes of a tensor as they are.</summary>
    /// <param name="offset">First byte, counted from the tensor's start.</param>
    public void ReadBytes(string name, long offset, Span<byte> destination)
    {
        var (tensor, handle, file) = _tensors[name];
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, tensor.Bytes - offset, nameof(destination));
        Fill(handle, tensor.Offset + offset, destination, file);
    }

    /// <summary>Reads a run of elements, counted in row-major order, as the floats they stand for.</summary>
    /// <exception cref="ModelFormatException">Tensors of this type are not read.</exception>
    public void Read(string name, long offset, Span<float> destination)
    {
        var (tensor, handle, file) = _tensors[name];
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(destination.Length, tensor.Elements - offset, nameof(destination));
        if (!GgmlBlocks.CanRead(tensor.Type))
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{file}: tensor '{name}' is stored as {tensor.Type}; read are {string.Join(", ", GgmlBlocks.Readable)}.");
        }

        if (tensor.Type == GgmlType.F32)
        {
            Fill(handle, tensor.Offset + (offset * sizeof(float)), MemoryMarshal.AsBytes(destination), file);
            return;
        }

        var (elements, bytes) = (tensor.Type.BlockElements, tensor.Type.BlockBytes);
        var buffer = ArrayPool<byte>.Shared.Rent(ChunkBytes);
        try
        {
            Span<float> block = stackalloc float[256];
            while (!destination.IsEmpty)
            {
                var into = (int)(offset % elements);
                var at = tensor.Offset + (offset / elements * bytes);
                if (into != 0 || destination.Length < elements)
                {
                    // The run begins or ends inside a block.
                    Fill(handle, at, buffer.AsSpan(0, bytes), file);
                    GgmlBlocks.Widen(tensor.Type, buffer.AsSpan(0, bytes), block[..elements]);
                    var part = Math.Min(elements - into, destination.Length);
                    block.Slice(into, part).CopyTo(destination);
                    destination = destination[part..];
                    offset += part;
                    continue;
                }

                var blocks = Math.Min(destination.Length / elements, ChunkBytes / bytes);
                var stored = buffer.AsSpan(0, blocks * bytes);
                Fill(handle, at, stored, file);
                GgmlBlocks.Widen(tensor.Type, stored, destination[..(blocks * elements)]);
                destination = destination[(blocks * elements)..];
                offset += blocks * elements;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public void Dispose() => _handles.ForEach(handle => handle.Dispose());

    private void Add(int index, int count, string name, string path)
    {
        var handle = File.OpenHandle(path);
        _handles.Add(handle);
        var (metadata, tensors) = GgufHeader.Read((offset, buffer) => Fill(handle, offset, buffer, name), RandomAccess.GetLength(handle), name);
        var parts = metadata.Whole("split.count", 0, ushort.MaxValue) ?? 1;
        var number = metadata.Whole("split.no", 0, ushort.MaxValue) ?? 0;
        if (Math.Max(parts, 1) != count)
        {
            throw new ModelFormatException(ModelFormatProblem.MissingFile, $"{name} is one of {parts} parts of a split file; {count} were given. Put all parts side by side under their own names.");
        }

        if (number != index)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name} says it is part {number + 1} of {parts}, but its name says part {index + 1}.");
        }

        if (index == 0)
        {
            Metadata = metadata;
        }

        foreach (var tensor in tensors)
        {
            if (!_tensors.TryAdd(tensor.Name, (tensor, handle, name)))
            {
                throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name}: tensor '{tensor.Name}' is in another part of the file too.");
            }

            _inOrder.Add(tensor);
        }
    }

    private void CheckCount(string name)
    {
        if (Metadata.Whole("split.tensors.count", 0, int.MaxValue) is { } said && said != _inOrder.Count)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name} says that its parts hold {said} tensors; they hold {_inOrder.Count}.");
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
}
