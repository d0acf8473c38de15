namespace LlmOs.Formats.Tokenizers;

/// <summary>
/// GPT-2's printable stand-ins for the 256 bytes: printable Latin-1 stands for itself, the rest follows from U+0100 on
/// (openai/gpt-2, <c>encoder.py</c>).
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] Characters = Make();
    private static readonly short[] Bytes = Invert(Characters);

    public static char Of(byte value) => Characters[value];

    /// <summary>The byte behind a stand-in, or -1 for a character that is none.</summary>
    public static int ByteOf(char character) => character < Bytes.Length ? Bytes[character] : -1;

    private static char[] Make()
    {
        var result = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            result[value] = (char)(printable ? value : next++);
        }

        return result;
    }

    private static short[] Invert(char[] characters)
    {
        var result = new short[characters.Max() + 1];
        Array.Fill(result, (short)-1);
        for (var value = 0; value < 256; value++)
        {
            result[characters[value]] = (short)value;
        }

        return result;
    }
}
