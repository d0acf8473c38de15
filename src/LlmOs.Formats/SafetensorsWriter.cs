using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace LlmOs.Formats;

/// <summary>
/// Writes a safetensors file front to back: the header first, then each tensor's values in the order given.
/// Types are F32, F16 and BF16. Writing to a temporary name and renaming it is the caller's part.
/// </summary>
public sealed class SafetensorsWriter
{
    /// <summary>Elements narrowed at once.</summary>
    private const int ChunkElements = 1 << 18;

    private static readonly IReadOnlyDictionary<string, string> DefaultMetadata = new Dictionary<string, string> { ["format"] = "pt" };

    private readonly Stream _stream;
    private readonly IReadOnlyList<TensorInfo> _tensors;
    private int _current;
    private long _written; // elements of the current tensor

    /// <param name="stream">Left open.</param>
    /// <param name="tensors">What will be written, in this order; names are unique.</param>
    /// <param name="metadata">Texts kept in the header; null writes <c>format: pt</c>, which published loaders ask for.</param>
    public SafetensorsWriter(Stream stream, IReadOnlyList<TensorInfo> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        if (tensors.FirstOrDefault(t => t.Type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16)) is { } wrong)
        {
            throw new ArgumentException($"Tensor '{wrong.Name}' is to be {wrong.Type}; F32, F16 and BF16 are written.", nameof(tensors));
        }

        _stream = stream;
        _tensors = tensors;
        WriteHeader(metadata ?? DefaultMetadata);
        SkipEmpty();
    }

    /// <summary>Writes the next elements of a tensor, in row-major order; several calls may fill one tensor.</summary>
    /// <param name="name">Must be the tensor whose turn it is.</param>
    public void Write(string name, ReadOnlySpan<float> values)
    {
        if (_current == _tensors.Count || _tensors[_current].Name != name)
        {
            var expected = _current == _tensors.Count ? "none, all are written" : $"'{_tensors[_current].Name}'";
            throw new InvalidOperationException($"Tensor '{name}' is out of turn; expected is {expected}.");
        }

        var tensor = _tensors[_current];
        if (values.Length > tensor.Elements - _written)
        {
            throw new InvalidOperationException($"Tensor '{name}' {tensor.ShapeText} has room for {tensor.Elements - _written} more elements, not {values.Length}.");
        }

        _written += values.Length;
        WriteElements(tensor.Type, values);
        if (_written == tensor.Elements)
        {
            _current++;
            _written = 0;
            SkipEmpty();
        }
    }

    /// <summary>Checks that nothing is missing and flushes.</summary>
    public void Complete()
    {
        if (_current < _tensors.Count)
        {
            throw new InvalidOperationException($"Tensor '{_tensors[_current].Name}' is not wholly written.");
        }

        _stream.Flush();
    }

    private void WriteHeader(IReadOnlyDictionary<string, string> metadata)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata)
            {
                writer.WriteString(key, value);
            }

            writer.WriteEndObject();
            HashSet<string> names = ["__metadata__"];
            long at = 0;
            foreach (var tensor in _tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw new ArgumentException($"Two tensors are named '{tensor.Name}'.");
                }

                var end = at + checked(tensor.Elements * SafetensorsHeader.WidthOf(tensor.Type));
                WriteEntry(writer, tensor, at, end);
                at = end;
            }

            writer.WriteEndObject();
        }

        // Spaces pad the header so that the data starts at a multiple of 8.
        var padding = (8 - (json.WrittenCount % 8)) % 8;
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)(json.WrittenCount + padding));
        _stream.Write(length);
        _stream.Write(json.WrittenSpan);
        _stream.Write("        "u8[..padding]);
    }

    private static void WriteEntry(Utf8JsonWriter writer, TensorInfo tensor, long begin, long end)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Type.ToString());
        writer.WriteStartArray("shape");
        foreach (var dimension in tensor.Shape)
        {
            writer.WriteNumberValue(dimension);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(begin);
        writer.WriteNumberValue(end);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private void WriteElements(TensorType type, ReadOnlySpan<float> values)
    {
        if (type == TensorType.F32)
        {
            _stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(values.Length, ChunkElements) * sizeof(ushort));
        try
        {
            while (!values.IsEmpty)
            {
                var count = Math.Min(values.Length, ChunkElements);
                var bytes = buffer.AsSpan(0, count * sizeof(ushort));
                if (type == TensorType.F16)
                {
                    FloatConversion.ToHalf(values[..count], bytes);
                }
                else
                {
                    FloatConversion.ToBrain(values[..count], bytes);
                }

                _stream.Write(bytes);
                values = values[count..];
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A tensor without elements takes no call.</summary>
    private void SkipEmpty()
    {
        while (_current < _tensors.Count && _tensors[_current].Elements == 0)
        {
            _current++;
        }
    }
}
