using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers;

/// <summary>Unicode properties that patterns ask for, a table look-up for most characters.</summary>
internal static class CharClass
{
    public const byte Letter = 1;
    public const byte Number = 2;
    public const byte Space = 4;
    public const byte NewLine = 8;
    public const byte Upper = 16;   // Lu, Lt
    public const byte Lower = 32;   // Ll
    public const byte Mark = 64;    // Mn, Mc, Me
    public const byte Word = 128;

    private static readonly byte[] Table = Make();

    public static byte Of(int scalar) => scalar < 0x10000 ? Table[scalar] : Compute(scalar);

    /// <summary>Class of the character at <paramref name="index"/>, and its length in UTF-16 units.</summary>
    public static byte At(ReadOnlySpan<char> text, int index, out int length)
    {
        var unit = text[index];
        if (!char.IsHighSurrogate(unit) || index + 1 >= text.Length)
        {
            length = 1;
            return Table[unit];
        }

        length = 2;
        return Compute(char.ConvertToUtf32(unit, text[index + 1]));
    }

    public static bool IsWord(int scalar) => (Of(scalar) & Word) != 0;

    public static UnicodeCategory Category(int scalar) => CharUnicodeInfo.GetUnicodeCategory(scalar);

    private static byte[] Make()
    {
        var table = new byte[0x10000];
        for (var value = 0; value < table.Length; value++)
        {
            table[value] = Compute(value);
        }

        return table;
    }

    private static byte Compute(int scalar)
    {
        byte result = CharUnicodeInfo.GetUnicodeCategory(scalar) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => Letter | Upper | Word,
            UnicodeCategory.LowercaseLetter => Letter | Lower | Word,
            UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter | Word,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Mark | Word,
            UnicodeCategory.DecimalDigitNumber => Number | Word,
            UnicodeCategory.LetterNumber => Number | Word,
            UnicodeCategory.OtherNumber => Number,
            UnicodeCategory.ConnectorPunctuation => Word,
            // Joiners, and the circled letters that Unicode counts as alphabetic.
            _ when scalar is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
                or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189) => Word,
            _ => 0,
        };

        if (Rune.IsValid(scalar) && Rune.IsWhiteSpace(new Rune(scalar)))
        {
            result |= Space;
        }

        return scalar is '\r' or '\n' ? (byte)(result | NewLine) : result;
    }
}
