using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Import;

/// <summary>A stream to read that tells how many bytes were read and, where it has a bound, refuses to read on past it.</summary>
/// <remarks>For libraries that take as much memory as a header asks for: the bound holds before a byte is read.</remarks>
internal sealed class BoundedReads(Stream inner, Action<int> tell) : Stream
{
    /// <summary>Bytes that may still be read; null: any number.</summary>
    public long? Left { get; set; }

    public override bool CanRead => true;

    public override bool CanSeek => inner.CanSeek;

    public override bool CanWrite => false;

    public override long Length => inner.Length;

    public override long Position
    {
        get => inner.Position;
        set => inner.Position = value;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        Require(buffer.Length);
        return Took(inner.Read(buffer));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Require(buffer.Length);
        return Took(await inner.ReadAsync(buffer, cancellationToken));
    }

    public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void Require(int bytes)
    {
        if (bytes > Left)
        {
            throw new LlmOsException(ErrorCode.TooLarge, "The archive's directory, or the header of an entry, is larger than is read.") { Hint = "Pack the files anew, with short names and without comments and attributes." };
        }
    }

    private int Took(int read)
    {
        Left -= read;
        tell(read);
        return read;
    }
}
