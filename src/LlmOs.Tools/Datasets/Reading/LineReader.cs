using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>The lines of a stream of UTF-8, without their ends and without the mark at the start, in memory that the longest line allowed bounds.</summary>
internal static class LineReader
{
    private const int BufferBytes = 1 << 16;

    /// <summary>Each line; what is given is overwritten by the next.</summary>
    /// <param name="rows">The number of the row that is being read, for the refusal of a line that is too long.</param>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Stream stream, ReadPlan plan, Func<long> rows, [EnumeratorCancellation] CancellationToken cancel, int maxBytes = RowLimits.MaxRowBytes)
    {
        var buffer = new byte[BufferBytes];
        var (begin, end, isFirst) = (0, 0, true);
        while (true)
        {
            if (begin > 0)
            {
                buffer.AsSpan(begin, end - begin).CopyTo(buffer);
                (begin, end) = (0, end - begin);
            }

            if (end == buffer.Length)
            {
                RequireShort(end - 1, plan, rows, maxBytes);
                Array.Resize(ref buffer, buffer.Length * 2);
            }

            var scanned = end;
            var read = await stream.ReadAsync(buffer.AsMemory(end), cancel);
            end += read;
            if (isFirst && (end >= 3 || read == 0))
            {
                isFirst = false;
                begin = MarkOf(buffer.AsSpan(0, end), plan);
                scanned = begin; // of what came before in pieces nothing was looked through
            }
            else if (isFirst)
            {
                continue;
            }

            for (int at; (at = buffer.AsSpan(scanned, end - scanned).IndexOf((byte)'\n')) >= 0;)
            {
                RequireShort(scanned + at - begin, plan, rows, maxBytes);
                yield return Line(buffer, begin, scanned + at);
                begin = scanned = scanned + at + 1;
            }

            if (read == 0)
            {
                if (begin < end)
                {
                    RequireShort(end - begin, plan, rows, maxBytes);
                    yield return Line(buffer, begin, end);
                }

                yield break;
            }
        }
    }

    /// <summary>Bytes of the mark of UTF-8; a mark of another encoding is refused.</summary>
    public static int MarkOf(ReadOnlySpan<byte> start, ReadPlan plan)
    {
        if (start.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) || start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]))
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"{(plan.Place is null ? "The file" : Shown.Of(plan.Place))} is UTF-16.") { Field = "source", Hint = "Save it as UTF-8." };
        }

        return start.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]) ? 3 : 0;
    }

    private static void RequireShort(int bytes, ReadPlan plan, Func<long> rows, int maxBytes)
    {
        if (bytes > maxBytes)
        {
            throw RowFault.Of(plan.Place, rows(), $"is longer than {maxBytes} bytes, the most that a row may have.", ErrorCode.TooLarge);
        }
    }

    private static ReadOnlyMemory<byte> Line(byte[] buffer, int begin, int end) =>
        buffer.AsMemory(begin, (end > begin && buffer[end - 1] == '\r' ? end - 1 : end) - begin);
}
