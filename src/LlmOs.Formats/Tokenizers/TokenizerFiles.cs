using System.Text;
using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Reads tokenizer files from disk, none of them larger than stated.</summary>
internal static class TokenizerFiles
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private const int MaxDepth = 32;

    /// <summary>All bytes of a stream.</summary>
    public static byte[] ReadAll(Stream stream, int maxBytes, string name)
    {
        if (stream.CanSeek && stream.Length - stream.Position <= maxBytes)
        {
            var whole = new byte[stream.Length - stream.Position];
            stream.ReadExactly(whole);
            return whole;
        }

        using var memory = new MemoryStream();
        var buffer = new byte[81_920];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (memory.Length + read > maxBytes)
            {
                throw new TokenizerFormatException($"{name} has more than {maxBytes >> 20} MB.");
            }

            memory.Write(buffer, 0, read);
        }

        return memory.ToArray();
    }

    public static byte[] ReadBytes(string path, int maxBytes, string name)
    {
        using var stream = File.OpenRead(path);
        return ReadAll(stream, maxBytes, name);
    }

    public static string ReadText(string path, int maxBytes, string name)
    {
        ReadOnlySpan<byte> bytes = ReadBytes(path, maxBytes, name);
        try
        {
            return Strict.GetString(bytes.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes);
        }
        catch (DecoderFallbackException cause)
        {
            throw new TokenizerFormatException($"{name} is not UTF-8.", cause);
        }
    }

    public static JsonElement ReadJson(string path, int maxBytes, string name)
    {
        using var document = ParseJson(ReadBytes(path, maxBytes, name), name);
        return document.RootElement.Clone();
    }

    /// <summary>JSON of files from anywhere: no key twice, no deep nesting, no half characters in names.</summary>
    public static JsonDocument ParseJson(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            return PublishedJson.Open(json, name, MaxDepth);
        }
        catch (ModelFormatException cause)
        {
            throw new TokenizerFormatException(cause.Message, cause);
        }
    }
}
