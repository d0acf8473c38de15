using System.Text;

namespace LlmOs.Testing;

/// <summary>Writes GGUF files for tests, right ones and wrong ones.</summary>
public sealed class GgufBytes
{
    private readonly List<Action<BinaryWriter>> _pairs = [];
    private readonly List<(string Name, long[] Shape, uint Type, byte[] Data, ulong? Offset)> _tensors = [];

    public uint Version { get; init; } = 3;

    public int Alignment { get; init; } = 32;

    /// <summary>Written instead of the true number.</summary>
    public ulong? TensorCount { get; init; }

    /// <summary>Written instead of the true number.</summary>
    public ulong? PairCount { get; init; }

    public GgufBytes Pair(string key, uint type, Action<BinaryWriter> value)
    {
        _pairs.Add(writer =>
        {
            Text(writer, key);
            writer.Write(type);
            value(writer);
        });
        return this;
    }

    public GgufBytes Pair(string key, string value) => Pair(key, 8, writer => Text(writer, value));

    public GgufBytes Pair(string key, uint value) => Pair(key, 4, writer => writer.Write(value));

    public GgufBytes Pair(string key, float value) => Pair(key, 6, writer => writer.Write(value));

    public GgufBytes Pair(string key, bool value) => Pair(key, 7, writer => writer.Write(value));

    public GgufBytes List(string key, params string[] values) => Pair(key, 9, writer => WriteList(writer, 8, values, Text));

    public GgufBytes List(string key, params int[] values) => Pair(key, 9, writer => WriteList(writer, 5, values, (w, value) => w.Write(value)));

    public GgufBytes List(string key, params float[] values) => Pair(key, 9, writer => WriteList(writer, 6, values, (w, value) => w.Write(value)));

    /// <param name="shape">Outermost first; the file gets the reverse.</param>
    /// <param name="offset">Written instead of the true one.</param>
    public GgufBytes Tensor(string name, long[] shape, uint type, byte[] data, ulong? offset = null)
    {
        _tensors.Add((name, shape, type, data, offset));
        return this;
    }

    public GgufBytes Tensor(string name, long[] shape, float[] values)
    {
        var data = new byte[values.Length * sizeof(float)];
        Buffer.BlockCopy(values, 0, data, 0, data.Length);
        return Tensor(name, shape, 0, data);
    }

    public byte[] ToArray()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write("GGUF"u8);
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)_tensors.Count);
        writer.Write(PairCount ?? (ulong)_pairs.Count);
        _pairs.ForEach(pair => pair(writer));
        ulong at = 0;
        foreach (var (name, shape, type, data, offset) in _tensors)
        {
            Text(writer, name);
            writer.Write((uint)shape.Length);
            foreach (var size in shape.Reverse())
            {
                writer.Write(size);
            }

            writer.Write(type);
            writer.Write(offset ?? at);
            at = Aligned(at + (ulong)data.Length);
        }

        foreach (var (_, _, _, data, _) in _tensors)
        {
            writer.Flush();
            writer.Write(new byte[Aligned((ulong)stream.Position) - (ulong)stream.Position]);
            writer.Write(data);
        }

        writer.Flush();
        return stream.ToArray();
    }

    public string WriteTo(string path)
    {
        File.WriteAllBytes(path, ToArray());
        return path;
    }

    public static void Text(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static void WriteList<T>(BinaryWriter writer, uint type, T[] items, Action<BinaryWriter, T> write)
    {
        writer.Write(type);
        writer.Write((ulong)items.Length);
        foreach (var item in items)
        {
            write(writer, item);
        }
    }

    private ulong Aligned(ulong position) => (position + (ulong)Alignment - 1) / (ulong)Alignment * (ulong)Alignment;
}
