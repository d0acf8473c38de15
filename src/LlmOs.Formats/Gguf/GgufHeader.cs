using System.Buffers.Binary;

namespace LlmOs.Formats.Gguf;

/// <summary>
/// The header of a GGUF file, version 2 or 3 (ggml's docs/gguf.md): magic, counts, metadata, tensor list; the data follows at
/// the next multiple of <c>general.alignment</c>. Everything is checked here, so that reading later cannot leave the file,
/// and no length in it makes more than a bounded amount of memory.
/// </summary>
internal sealed class GgufHeader
{
    /// <summary>Bytes of metadata and tensor list; vocabularies of 256,000 tokens take about 10 million.</summary>
    public const long MaxBytes = 100_000_000;

    /// <summary>Metadata pairs, and tensors; the largest published models have some thousands.</summary>
    private const int MaxEntries = 1 << 16;

    /// <summary>Items of all lists together; a list inside a list counts as many, for its own overhead.</summary>
    private const int MaxItems = 1 << 23;

    private const int NestedListItems = 16;
    private const int MaxNesting = 4;
    private const int MaxKeyBytes = 65_535;
    private const int MaxNameBytes = 1024;
    private const int MaxDimensions = 8;
    private const int DefaultAlignment = 32;
    private const int MaxAlignment = 1 << 20;

    private readonly GgufHeaderBytes _bytes;
    private readonly long _fileBytes;
    private readonly string _file;
    private int _items;

    private GgufHeader(ReadAt read, long fileBytes, string file)
    {
        (_fileBytes, _file) = (fileBytes, file);
        _bytes = new GgufHeaderBytes(read, fileBytes, file, MaxBytes);
    }

    /// <summary>Reads and checks the header; the tensors come in the order of their bytes.</summary>
    /// <param name="file">The file's name, for messages.</param>
    public static (GgufMetadata Metadata, IReadOnlyList<GgufTensor> Tensors) Read(ReadAt read, long fileBytes, string file) =>
        new GgufHeader(read, fileBytes, file).ReadAll();

    private (GgufMetadata Metadata, IReadOnlyList<GgufTensor> Tensors) ReadAll()
    {
        Span<byte> magic = stackalloc byte[4];
        _bytes.Fill(magic, "the magic number");
        if (!magic.SequenceEqual("GGUF"u8))
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{_file}: it does not begin with 'GGUF', so it is not a GGUF file.");
        }

        var version = _bytes.U32("the version");
        if (version is not (2 or 3))
        {
            var turned = BinaryPrimitives.ReverseEndianness(version) is 2 or 3;
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, turned
                ? $"{_file}: it is a big-endian GGUF file; little-endian ones are read."
                : $"{_file}: it is of GGUF version {version}; versions 2 and 3 are read.");
        }

        var tensorCount = Count("tensors", minBytesEach: 24);
        var pairCount = Count("metadata pairs", minBytesEach: 13);
        var metadata = new GgufMetadata(_file, ReadPairs(pairCount));
        var alignment = Alignment(metadata);
        var listed = new List<(string Name, GgmlType Type, long[] Shape, long Offset, long Bytes)>(tensorCount);
        for (var i = 0; i < tensorCount; i++)
        {
            listed.Add(ReadTensor(alignment));
        }

        var dataStart = (_bytes.Position + alignment - 1) / alignment * alignment;
        return (metadata, Place(listed, dataStart));
    }

    private Dictionary<string, GgufValue> ReadPairs(int count)
    {
        var pairs = new Dictionary<string, GgufValue>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            var key = _bytes.Text(MaxKeyBytes, "a metadata key");
            if (!pairs.TryAdd(key, Value(ReadType(key), key, depth: 0)))
            {
                throw _bytes.Corrupt($"the metadata '{key}' is there twice");
            }
        }

        return pairs;
    }

    private GgufType ReadType(string key)
    {
        var type = (GgufType)_bytes.U32($"the type of '{key}'");
        return Enum.IsDefined(type) ? type : throw _bytes.Corrupt($"the metadata '{key}' has the unknown type {(uint)type}");
    }

    private GgufValue Value(GgufType type, string key, int depth) => type switch
    {
        GgufType.Text => new GgufText(_bytes.Text(MaxBytes, $"'{key}'")),
        GgufType.Flag => new GgufFlag(ReadFlag(key)),
        GgufType.F32 => new GgufReal(type, ReadReal(type, key)),
        GgufType.F64 => new GgufReal(type, ReadReal(type, key)),
        GgufType.U64 => new GgufWhole(type, _bytes.U64($"'{key}'")),
        GgufType.List => List(key, depth),
        _ => new GgufWhole(type, ReadWhole(type, key)),
    };

    private GgufValue List(string key, int depth)
    {
        if (depth == MaxNesting)
        {
            throw _bytes.Corrupt($"the metadata '{key}' nests lists deeper than {MaxNesting}");
        }

        var type = ReadType(key);
        var min = type switch { GgufType.Text => 8, GgufType.List => 12, _ => WidthOf(type) };
        var count = _bytes.U64($"the length of '{key}'");
        if (count > (ulong)((_fileBytes - _bytes.Position) / min))
        {
            throw _bytes.Corrupt($"the metadata '{key}' is a list of {count} items, more than the file has room for");
        }

        var cost = count * (ulong)(type == GgufType.List ? NestedListItems : 1);
        if (cost > (ulong)(MaxItems - _items))
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{_file}: its metadata lists hold more than {MaxItems} items; '{key}' has {count}.");
        }

        _items += (int)cost;
        var length = (int)count;
        return type switch
        {
            GgufType.Text => new GgufTexts(Items(length, () => _bytes.Text(MaxBytes, $"'{key}'"))),
            GgufType.Flag => new GgufFlags(Items(length, () => ReadFlag(key))),
            GgufType.F32 or GgufType.F64 => new GgufReals(type, Items(length, () => ReadReal(type, key))),
            GgufType.List => new GgufLists(Items(length, () => List(key, depth + 1))),
            _ => new GgufWholes(type, Items(length, () => ReadWhole(type, key))),
        };
    }

    private static T[] Items<T>(int count, Func<T> read)
    {
        var items = new T[count];
        for (var i = 0; i < count; i++)
        {
            items[i] = read();
        }

        return items;
    }

    private bool ReadFlag(string key)
    {
        Span<byte> one = stackalloc byte[1];
        _bytes.Fill(one, $"'{key}'");
        return one[0] switch
        {
            0 => false,
            1 => true,
            var other => throw _bytes.Corrupt($"the metadata '{key}' holds {other} where true or false (1 or 0) belongs"),
        };
    }

    private double ReadReal(GgufType type, string key)
    {
        Span<byte> bytes = stackalloc byte[8];
        _bytes.Fill(bytes[..WidthOf(type)], $"'{key}'");
        return type == GgufType.F32 ? BinaryPrimitives.ReadSingleLittleEndian(bytes) : BinaryPrimitives.ReadDoubleLittleEndian(bytes);
    }

    private long ReadWhole(GgufType type, string key)
    {
        Span<byte> bytes = stackalloc byte[8];
        _bytes.Fill(bytes[..WidthOf(type)], $"'{key}'");
        return type switch
        {
            GgufType.U8 => bytes[0],
            GgufType.I8 => (sbyte)bytes[0],
            GgufType.U16 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
            GgufType.I16 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            GgufType.U32 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            GgufType.I32 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            GgufType.I64 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            GgufType.U64 when BinaryPrimitives.ReadUInt64LittleEndian(bytes) is var wide and <= long.MaxValue => (long)wide,
            _ => throw _bytes.Corrupt($"the metadata '{key}' lists a number above {long.MaxValue}"),
        };
    }

    private (string Name, GgmlType Type, long[] Shape, long Offset, long Bytes) ReadTensor(int alignment)
    {
        var name = _bytes.Text(MaxNameBytes, "a tensor's name");
        var dimensions = _bytes.U32($"the rank of '{name}'");
        if (dimensions > MaxDimensions)
        {
            throw _bytes.Corrupt($"tensor '{name}' has {dimensions} dimensions; at most {MaxDimensions} are read");
        }

        var shape = new long[dimensions];
        var elements = 1L;
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            var size = _bytes.U64($"the shape of '{name}'");
            if (size > long.MaxValue || (elements != 0 && (long)size > long.MaxValue / elements))
            {
                throw _bytes.Corrupt($"tensor '{name}' has more elements than a file can hold");
            }

            shape[i] = (long)size;
            elements *= shape[i];
        }

        var type = (GgmlType)_bytes.U32($"the type of '{name}'");
        if (!Enum.IsDefined(type))
        {
            throw new ModelFormatException(ModelFormatProblem.UnsupportedFormat, $"{_file}: tensor '{name}' is of the unknown type {(uint)type}.");
        }

        var width = shape.Length == 0 ? 1 : shape[^1];
        if (width % type.BlockElements != 0)
        {
            throw _bytes.Corrupt($"tensor '{name}' has rows of {width} elements, which {type} blocks of {type.BlockElements} do not fill");
        }

        var offset = _bytes.U64($"the offset of '{name}'");
        if (offset > long.MaxValue || (long)offset % alignment != 0)
        {
            throw _bytes.Corrupt($"tensor '{name}' lies at {offset}, which is no multiple of the alignment {alignment}");
        }

        var blocks = elements / type.BlockElements;
        return blocks > _fileBytes / type.BlockBytes
            ? throw _bytes.Corrupt($"tensor '{name}' needs more bytes than the file has")
            : (name, type, shape, (long)offset, blocks * type.BlockBytes);
    }

    /// <summary>Every tensor inside the file, none over another, no name twice.</summary>
    private List<GgufTensor> Place(List<(string Name, GgmlType Type, long[] Shape, long Offset, long Bytes)> listed, long dataStart)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        List<GgufTensor> tensors = [];
        foreach (var (name, type, shape, offset, bytes) in listed)
        {
            if (!names.Add(name))
            {
                throw _bytes.Corrupt($"tensor '{name}' is there twice");
            }

            if (dataStart > _fileBytes || offset > _fileBytes - dataStart - bytes)
            {
                throw _bytes.Corrupt($"tensor '{name}' ends after the file does: it was cut short");
            }

            tensors.Add(new GgufTensor(name, type, shape, dataStart + offset, bytes));
        }

        tensors.Sort((a, b) => (a.Offset, a.Bytes).CompareTo((b.Offset, b.Bytes)));
        for (var i = 1; i < tensors.Count; i++)
        {
            if (tensors[i].Offset < tensors[i - 1].Offset + tensors[i - 1].Bytes)
            {
                throw _bytes.Corrupt($"tensor '{tensors[i].Name}' overlaps '{tensors[i - 1].Name}'");
            }
        }

        return tensors;
    }

    private static int Alignment(GgufMetadata metadata)
    {
        const string Key = "general.alignment";
        var alignment = metadata.Whole(Key, 1, MaxAlignment) ?? DefaultAlignment;
        return (alignment & (alignment - 1)) == 0 ? alignment : throw metadata.Corrupt(Key, $"must be a power of two, not {alignment}");
    }

    private int Count(string what, int minBytesEach)
    {
        var count = _bytes.U64($"the number of {what}");
        if (count > (ulong)((_fileBytes - _bytes.Position) / minBytesEach))
        {
            throw _bytes.Corrupt($"it says it has {count} {what}, more than its {_fileBytes} bytes have room for");
        }

        return count <= MaxEntries
            ? (int)count
            : throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{_file}: it has {count} {what}; at most {MaxEntries} are read.");
    }

    private static int WidthOf(GgufType type) => type switch
    {
        GgufType.U8 or GgufType.I8 or GgufType.Flag => 1,
        GgufType.U16 or GgufType.I16 => 2,
        GgufType.U32 or GgufType.I32 or GgufType.F32 => 4,
        _ => 8,
    };

}
