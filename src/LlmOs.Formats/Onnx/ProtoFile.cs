using System.Text;

namespace LlmOs.Formats.Onnx;

/// <summary>One field of a protocol-buffer message in a file.</summary>
/// <param name="Value">Of a varint; 0 for other kinds.</param>
/// <param name="Key">Where its key begins.</param>
/// <param name="Start">Where its content begins.</param>
/// <param name="End">Where it ends.</param>
/// <param name="HasLength">Whether it is a message, a text or bytes.</param>
public readonly record struct ProtoField(int Number, long Value, long Key, long Start, long End, bool HasLength);

/// <summary>Walks the fields of protocol-buffer messages in a file, whose contents are skipped and not read unless asked for.</summary>
public sealed class ProtoFile(Stream file, string name)
{
    private const int MaxTextBytes = 4096;

    public long Length => file.Length;

    /// <summary>The fields of the message that lies between two positions.</summary>
    /// <exception cref="ModelFormatException">It is not such a message.</exception>
    public IEnumerable<ProtoField> Fields(long start, long end)
    {
        var at = start;
        while (at < end)
        {
            var key = at;
            file.Position = at;
            var tag = Varint();
            var value = 0L;
            var hasLength = false;
            var number = tag >> 3;
            if (number is < 1 or > 1 << 29)
            {
                throw Corrupt("holds a field without a number");
            }

            long from;
            switch (tag & 7)
            {
                case 0:
                    from = file.Position;
                    value = Varint();
                    at = file.Position;
                    break;
                case 1:
                    from = file.Position;
                    at = from + 8;
                    break;
                case 5:
                    from = file.Position;
                    at = from + 4;
                    break;
                case 2:
                    var length = Varint();
                    from = file.Position;
                    if (length < 0 || length > end - from)
                    {
                        throw Corrupt("holds a field that is longer than what is around it");
                    }

                    at = from + length;
                    hasLength = true;
                    break;
                default:
                    throw Corrupt("holds a field of an unknown kind");
            }

            yield return at <= end ? new ProtoField((int)number, value, key, from, at, hasLength) : throw Corrupt("is cut off");
        }
    }

    public string Text(ProtoField field)
    {
        if (!field.HasLength || field.End - field.Start > MaxTextBytes)
        {
            throw Corrupt($"holds a name of more than {MaxTextBytes} bytes");
        }

        var bytes = new byte[field.End - field.Start];
        file.Position = field.Start;
        file.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>Whole numbers of a repeated field, packed or one by one.</summary>
    public IEnumerable<long> Wholes(ProtoField field)
    {
        if (!field.HasLength)
        {
            yield return field.Value;
            yield break;
        }

        var at = field.Start;
        while (at < field.End)
        {
            file.Position = at;
            var value = Varint();
            at = file.Position;
            yield return value;
        }
    }

    public void CopyTo(Stream target, long start, long end)
    {
        var buffer = new byte[1 << 16];
        file.Position = start;
        while (start < end)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - start));
            file.ReadExactly(part);
            target.Write(part);
            start += part.Length;
        }
    }

    public ModelFormatException Corrupt(string what) => new(ModelFormatProblem.CorruptFile, $"{name} is not a whole ONNX file: it {what}.");

    private long Varint()
    {
        var value = 0L;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var one = file.ReadByte();
            if (one < 0)
            {
                throw Corrupt("ends in the middle of a field");
            }

            value |= (long)(one & 0x7F) << shift;
            if ((one & 0x80) == 0)
            {
                return value;
            }
        }

        throw Corrupt("holds a number of more than 64 bits");
    }
}
