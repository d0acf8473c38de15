using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace LlmOs.Models.Zoo;

/// <summary>
/// Writes the protocol-buffer wire format: a key (field number and wire type), then a varint, four bytes, or a length
/// with that many bytes. ONNX needs no more, so no generated code is carried.
/// </summary>
internal sealed class ProtoWriter
{
    private const int Varint = 0;
    private const int LengthDelimited = 2;
    private const int FourBytes = 5;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Int(int field, long value)
    {
        Key(field, Varint);
        WriteVarint((ulong)value);
    }

    public void Float(int field, float value)
    {
        Key(field, FourBytes);
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.GetSpan(sizeof(float)), value);
        _buffer.Advance(sizeof(float));
    }

    public void Text(int field, string value) => Bytes(field, Encoding.UTF8.GetBytes(value));

    public void Bytes(int field, ReadOnlySpan<byte> value)
    {
        Key(field, LengthDelimited);
        WriteVarint((ulong)value.Length);
        _buffer.Write(value);
    }

    /// <summary>A message inside this one; its length stands before it, so it is written aside first.</summary>
    public void Message(int field, Action<ProtoWriter> write)
    {
        var inner = new ProtoWriter();
        write(inner);
        Bytes(field, inner.Written);
    }

    /// <summary>The head of a message whose content is written elsewhere.</summary>
    public void Length(int field, long bytes)
    {
        Key(field, LengthDelimited);
        WriteVarint((ulong)bytes);
    }

    /// <summary>Adds fields written elsewhere.</summary>
    public void Append(ProtoWriter fields) => _buffer.Write(fields.Written);

    private void Key(int field, int wireType) => WriteVarint((ulong)(field << 3 | wireType));

    private void WriteVarint(ulong value)
    {
        var span = _buffer.GetSpan(10);
        var length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        _buffer.Advance(length);
    }
}
