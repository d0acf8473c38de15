using System.Buffers.Binary;
using System.Text;

namespace LlmOs.Formats.Gguf;

/// <summary>Reads a GGUF header from its beginning, number by number and text by text, never past the file or a limit.</summary>
/// <param name="file">The file's name, for messages.</param>
/// <param name="maxBytes">Bytes that a header may have.</param>
internal sealed class GgufHeaderBytes(ReadAt read, long fileBytes, string file, long maxBytes)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[1 << 16];
    private int _at; // next byte in the buffer
    private int _filled;
    private long _next; // file position behind the buffer

    public long Position => _next - (_filled - _at);

    public ModelFormatException Corrupt(string what) => new(ModelFormatProblem.CorruptFile, $"{file}: {what}.");

    /// <param name="what">What it is, for messages.</param>
    public string Text(long max, string what)
    {
        var length = U64($"the length of {what}");
        if (length > (ulong)(fileBytes - Position))
        {
            throw Corrupt($"{what} has {length} bytes, more than the file has left");
        }

        if (length > (ulong)max || Position + (long)length > maxBytes)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{file}: {what} has {length} bytes; at most {max} are read, and {maxBytes} for the whole header.");
        }

        if (length == 0)
        {
            return "";
        }

        try
        {
            if (length <= (ulong)(_filled - _at))
            {
                var text = Strict.GetString(_buffer, _at, (int)length);
                _at += (int)length;
                return text;
            }

            var bytes = new byte[length];
            Fill(bytes, what);
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException fault)
        {
            throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{file}: {what} is not UTF-8.", fault);
        }
    }

    public uint U32(string what)
    {
        Span<byte> bytes = stackalloc byte[4];
        Fill(bytes, what);
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes);
    }

    public ulong U64(string what)
    {
        Span<byte> bytes = stackalloc byte[8];
        Fill(bytes, what);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    public void Fill(Span<byte> target, string what)
    {
        while (!target.IsEmpty)
        {
            if (_at == _filled)
            {
                Refill(what, target.Length);
            }

            var count = Math.Min(target.Length, _filled - _at);
            _buffer.AsSpan(_at, count).CopyTo(target);
            _at += count;
            target = target[count..];
        }
    }

    private void Refill(string what, int wanted)
    {
        if (_next > maxBytes)
        {
            throw new ModelFormatException(ModelFormatProblem.TooLarge, $"{file}: its header is longer than {maxBytes} bytes.");
        }

        var count = (int)Math.Min(_buffer.Length, fileBytes - _next);
        if (count == 0 || wanted > fileBytes - _next)
        {
            throw Corrupt($"it ends in the middle of {what}: it was cut short or is of another kind");
        }

        read(_next, _buffer.AsSpan(0, count));
        (_at, _filled, _next) = (0, count, _next + count);
    }
}
