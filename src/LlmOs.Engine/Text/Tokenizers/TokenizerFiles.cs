namespace LlmOs.Engine.Text.Tokenizers;

/// <summary>Reads tokenizer files from disk.</summary>
internal static class TokenizerFiles
{
    /// <summary>All bytes of a stream, refused when there are more than stated.</summary>
    public static byte[] ReadAll(Stream stream, int maxBytes)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[81_920];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            if (memory.Length + read > maxBytes)
            {
                throw new TokenizerFormatException($"The tokenizer file has more than {maxBytes >> 20} MB.");
            }

            memory.Write(buffer, 0, read);
        }

        return memory.ToArray();
    }
}
