using System.Buffers;
using System.Text;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// Files of text that people name: UTF-8, or UTF-16 that begins with its mark, unless the request says Windows-1252. A mark at the
/// start says how the text is written and is no part of it.
/// </summary>
internal static class TextFile
{
    public const string Utf8 = "utf-8";
    public const string Windows = "windows-1252";

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <exception cref="LlmOsException">400: the encoding is none of those that are read.</exception>
    public static void CheckEncoding(string? encoding)
    {
        if (encoding is not (null or Utf8 or Windows))
        {
            throw LlmOsException.Invalid("encoding", $"'encoding' must be '{Utf8}' or '{Windows}'.");
        }
    }

    /// <param name="encoding">As the request states it; null: UTF-8.</param>
    public static StreamReader Open(string path, string? encoding) =>
        new(path, encoding == Windows ? CodePagesEncodingProvider.Instance.GetEncoding(Windows)! : Strict, detectEncodingFromByteOrderMarks: true);

    /// <exception cref="InvalidDataException">The file is not text in that encoding; the message says where.</exception>
    public static async Task<string> ReadAsync(string path, string? encoding, CancellationToken cancel)
    {
        try
        {
            using var reader = Open(path, encoding);
            return await reader.ReadToEndAsync(cancel);
        }
        catch (DecoderFallbackException)
        {
            throw NotUtf8(path);
        }
    }

    /// <summary>Says where a file stops being UTF-8, and what to do about it.</summary>
    public static InvalidDataException NotUtf8(string path)
    {
        var place = FirstWrongByte(path) is var (offset, line, value) ? $": byte {offset} (counted from 0, in line {line}), 0x{value:X2}, does not belong there" : "";
        return new InvalidDataException($"The text is not UTF-8{place}. Save it as UTF-8, or give \"encoding\": \"{Windows}\" if it was written on Windows.");
    }

    private static (long Offset, long Line, byte Value)? FirstWrongByte(string path)
    {
        using var stream = File.OpenRead(path);
        var buffer = new byte[1 << 16];
        var (kept, offset, line) = (0, 0L, 1L);
        while (true)
        {
            var filled = kept + stream.ReadAtLeast(buffer.AsSpan(kept), buffer.Length - kept, throwOnEndOfStream: false);
            var isLast = filled < buffer.Length;
            var at = 0;
            while (at < filled)
            {
                var status = Rune.DecodeFromUtf8(buffer.AsSpan(at, filled - at), out _, out var used);
                if (status == OperationStatus.NeedMoreData && !isLast)
                {
                    break;
                }

                if (status != OperationStatus.Done)
                {
                    return (offset + at, line, buffer[at]);
                }

                line += buffer[at] == '\n' ? 1 : 0;
                at += used;
            }

            if (isLast)
            {
                return null;
            }

            kept = filled - at;
            buffer.AsSpan(at, kept).CopyTo(buffer);
            offset += at;
        }
    }
}
