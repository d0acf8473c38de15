namespace LlmOs.Tools.Tokenizers;

/// <summary>
/// The 256 visible characters that byte-level tokenizers write bytes as: GPT-2's table
/// (<c>bytes_to_unicode</c> of openai/gpt-2). Printable Latin-1 stands for itself, the others follow from U+0100.
/// </summary>
internal static class ByteAlphabet
{
    /// <summary>The character of each byte.</summary>
    public static IReadOnlyList<char> Characters { get; } = Make();

    /// <summary>The bytes in the order in which a vocabulary lists them: ascending by their character.</summary>
    public static IReadOnlyList<byte> Order { get; } = [.. Enumerable.Range(0, 256).Select(b => (byte)b).OrderBy(b => Characters[b])];

    /// <summary>How a vocabulary spells these bytes.</summary>
    public static string Spell(ReadOnlySpan<byte> bytes)
    {
        var spelling = new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            spelling[i] = Characters[bytes[i]];
        }

        return new string(spelling);
    }

    private static char[] Make()
    {
        var characters = new char[256];
        var next = 256;
        for (var b = 0; b < 256; b++)
        {
            var printable = b is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[b] = printable ? (char)b : (char)next++;
        }

        return characters;
    }
}
