using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>BERT's clean-up (google-research/bert, <c>BasicTokenizer</c>): controls, Chinese characters, accents, case.</summary>
internal sealed class BertNormalizer(bool cleanText, bool spaceChinese, bool stripAccents, bool lowercase) : INormalizer
{
    private static readonly Cleaner Clean = new();
    private static readonly ChineseSpacer Chinese = new();
    private static readonly AccentStripper Accents = new();
    private static readonly LowercaseNormalizer Lower = new();

    public AlignedText Normalize(AlignedText text)
    {
        text = cleanText ? Clean.Normalize(text) : text;
        text = spaceChinese ? Chinese.Normalize(text) : text;
        text = stripAccents ? Accents.Normalize(UnicodeNormalizer.Apply(text, NormalizationForm.FormD)) : text;
        return lowercase ? Lower.Normalize(text) : text;
    }

    private sealed class Cleaner : CharacterNormalizer
    {
        protected override string? Replace(int scalar)
        {
            if (scalar is '\t' or '\n' or '\r')
            {
                return " ";
            }

            if (scalar is 0 or 0xFFFD || CharClass.Category(scalar) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse)
            {
                return "";
            }

            return scalar != ' ' && (CharClass.Of(scalar) & CharClass.Space) != 0 ? " " : null;
        }
    }

    private sealed class ChineseSpacer : CharacterNormalizer
    {
        protected override string? Replace(int scalar) => scalar is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF)
            or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F) or (>= 0x2B740 and <= 0x2B81F)
            or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F)
            ? $" {new Rune(scalar)} "
            : null;
    }

    private sealed class AccentStripper : CharacterNormalizer
    {
        protected override string? Replace(int scalar) =>
            CharClass.Category(scalar) == UnicodeCategory.NonSpacingMark ? "" : null;
    }
}
