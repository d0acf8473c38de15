using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Unicode;

namespace LlmOs.Formats;

/// <summary>Where a tensor lies in a safetensors file.</summary>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Length in bytes.</param>
internal sealed record StoredTensor(TensorInfo Info, long Offset, long Bytes);

/// <summary>
/// The header of a safetensors file: 8 bytes of length (little-endian), then JSON that names every tensor with its
/// type, shape and range. Everything is checked here, so that reading later cannot leave the file.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>Bytes; the format's own limit.</summary>
    public const int MaxBytes = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private static readonly Dictionary<string, TensorType> Types =
        Enum.GetValues<TensorType>().ToDictionary(t => t.ToString().ToUpperInvariant(), StringComparer.Ordinal);

    /// <summary>Reads and checks the header; the tensors come in the order of their bytes.</summary>
    /// <param name="file">The file's name, for messages.</param>
    public static SafetensorsContent Read(ReadAt read, long fileBytes, string file)
    {
        Span<byte> prefix = stackalloc byte[8];
        if (fileBytes < prefix.Length)
        {
            throw Corrupt(file, $"it has {fileBytes} bytes, fewer than the 8 of the header's length: it was cut short or is of another kind");
        }

        read(0, prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxBytes)
        {
            throw Corrupt(file, $"its header says it has {length} bytes, over the format's limit of {MaxBytes}");
        }

        if ((long)length > fileBytes - prefix.Length)
        {
            throw Corrupt(file, $"its header says it has {length} bytes, but the file ends after {fileBytes - prefix.Length}: it was cut short");
        }

        var json = new byte[length];
        read(prefix.Length, json);
        return Parse(json, prefix.Length + (long)length, fileBytes, file);
    }

    private static SafetensorsContent Parse(byte[] json, long dataStart, long fileBytes, string file)
    {
        if (!Utf8.IsValid(json))
        {
            throw Corrupt(file, "its header is not UTF-8");
        }

        List<StoredTensor> tensors = [];
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw Corrupt(file, "its header is not a JSON object");
            }

            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name != MetadataKey)
                {
                    tensors.Add(ReadTensor(property.Name, property.Value, dataStart, fileBytes, file));
                }
                else if (property.Value.ValueKind == JsonValueKind.Object)
                {
                    foreach (var note in property.Value.EnumerateObject().Where(n => n.Value.ValueKind == JsonValueKind.String))
                    {
                        metadata.Add(note.Name, note.Value.GetString()!);
                    }
                }
            }
        }
        catch (InvalidOperationException fault)
        {
            // What the JSON reader throws for a name when it is asked for it.
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file}: its header holds half a surrogate pair.", fault);
        }
        catch (JsonException fault)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file}: its header is not valid JSON, or names a tensor twice ({fault.Message})", fault);
        }

        CheckRanges(tensors, dataStart, fileBytes, file);
        return new SafetensorsContent(tensors, Aliases(tensors, metadata));
    }

    /// <summary>
    /// A file that was written without its copies (safetensors' <c>save_model</c>) notes each name that it left out with the one that it
    /// kept: <c>{"lm_head.weight": "model.embed_tokens.weight"}</c>.
    /// </summary>
    private static Dictionary<string, string> Aliases(List<StoredTensor> tensors, Dictionary<string, string> metadata)
    {
        var names = tensors.Select(t => t.Info.Name).ToHashSet(StringComparer.Ordinal);
        return metadata.Where(note => names.Contains(note.Value) && !names.Contains(note.Key)).ToDictionary(StringComparer.Ordinal);
    }

    private static StoredTensor ReadTensor(string name, JsonElement entry, long dataStart, long fileBytes, string file)
    {
        if (entry.ValueKind != JsonValueKind.Object
            || !entry.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !entry.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array
            || !entry.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array
            || offsets.GetArrayLength() != 2)
        {
            throw Corrupt(file, $"tensor '{name}' needs dtype, shape and two data_offsets");
        }

        if (!Types.TryGetValue(dtype.GetString()!, out var type))
        {
            throw new ModelFormatException(
                ModelFormatProblem.UnsupportedFormat,
                $"{file}: tensor '{name}' has dtype '{dtype.GetString()}'; known are {string.Join(", ", Types.Keys)}.");
        }

        var dimensions = new long[shape.GetArrayLength()];
        for (var i = 0; i < dimensions.Length; i++)
        {
            if (shape[i].ValueKind != JsonValueKind.Number || !shape[i].TryGetInt64(out dimensions[i]) || dimensions[i] < 0)
            {
                throw Corrupt(file, $"tensor '{name}' has a dimension that is not a whole number of at least 0: {shape[i].GetRawText()}");
            }
        }

        if (!TryOffset(offsets[0], out var begin) || !TryOffset(offsets[1], out var end) || end < begin || end > fileBytes - dataStart)
        {
            throw Corrupt(file, $"tensor '{name}' lies at {offsets.GetRawText()}, outside the {fileBytes - dataStart} bytes of data in the file");
        }

        if (!TryBytes(dimensions, type, out var bytes) || bytes != end - begin)
        {
            throw Corrupt(file, $"tensor '{name}' ({dtype.GetString()}, {shape.GetRawText()}) does not fill its {end - begin} bytes");
        }

        return new StoredTensor(new TensorInfo(name, type, dimensions), dataStart + begin, bytes);
    }

    /// <summary>The data must be covered exactly once: no gap, no overlap, nothing behind the last tensor.</summary>
    private static void CheckRanges(List<StoredTensor> tensors, long dataStart, long fileBytes, string file)
    {
        tensors.Sort((a, b) => (a.Offset, a.Offset + a.Bytes).CompareTo((b.Offset, b.Offset + b.Bytes)));
        var at = dataStart;
        foreach (var tensor in tensors)
        {
            if (tensor.Offset != at)
            {
                var fault = tensor.Offset < at ? "overlaps the tensor before it" : "leaves a gap before it";
                throw Corrupt(file, $"tensor '{tensor.Info.Name}' {fault}");
            }

            at += tensor.Bytes;
        }

        if (at != fileBytes)
        {
            throw Corrupt(file, $"{fileBytes - at} bytes after the last tensor belong to none");
        }
    }

    private static bool TryOffset(JsonElement element, out long offset)
    {
        offset = 0;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out offset) && offset >= 0;
    }

    private static bool TryBytes(long[] dimensions, TensorType type, out long bytes)
    {
        bytes = WidthOf(type);
        try
        {
            foreach (var dimension in dimensions)
            {
                bytes = checked(bytes * dimension);
            }

            return true;
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    /// <summary>Bytes of one element.</summary>
    public static int WidthOf(TensorType type) => type switch
    {
        TensorType.Bool or TensorType.U8 or TensorType.I8 => 1,
        TensorType.U16 or TensorType.I16 or TensorType.F16 or TensorType.BF16 => 2,
        TensorType.U32 or TensorType.I32 or TensorType.F32 => 4,
        TensorType.U64 or TensorType.I64 or TensorType.F64 => 8,
    };

    private static ModelFormatException Corrupt(string file, string what) =>
        new(ModelFormatProblem.CorruptFile, $"{file}: {what}.");
}

/// <summary>What a header says.</summary>
/// <param name="Tensors">In the order of their bytes.</param>
/// <param name="Aliases">Further names of them.</param>
internal sealed record SafetensorsContent(IReadOnlyList<StoredTensor> Tensors, IReadOnlyDictionary<string, string> Aliases);

/// <summary>Fills a buffer from a place in a file.</summary>
internal delegate void ReadAt(long offset, Span<byte> buffer);
