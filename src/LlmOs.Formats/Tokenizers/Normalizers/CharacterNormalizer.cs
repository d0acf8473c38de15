using System.Buffers;
using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>Drops characters or puts a text in the place of a character, one character at a time.</summary>
internal abstract class CharacterNormalizer : INormalizer
{
    // ASCII characters that stay as they are; found with the first text.
    private SearchValues<char>? _plain;

    public AlignedText Normalize(AlignedText text)
    {
        _plain ??= SearchValues.Create([.. Enumerable.Range(0, 128).Where(scalar => Replace(scalar) is null).Select(scalar => (char)scalar)]);
        var first = text.Text.AsSpan().IndexOfAnyExcept(_plain);
        if (first < 0)
        {
            return text;
        }

        var rewriter = new AlignedText.Rewriter(text, text.Text.Length);
        var kept = 0;
        for (var at = first; at < text.Text.Length;)
        {
            if (_plain.Contains(text.Text[at]))
            {
                at++;
                continue;
            }

            Rune.DecodeFromUtf16(text.Text.AsSpan(at), out var rune, out var used);
            if (Replace(rune.Value) is { } replacement)
            {
                rewriter.Copy(kept, at - kept);
                rewriter.Write(replacement, at, used);
                kept = at + used;
            }

            at += used;
        }

        if (kept == 0)
        {
            return text;
        }

        rewriter.Copy(kept, text.Text.Length - kept);
        return rewriter.Finish();
    }

    /// <summary>What to write for a character: an empty text drops it, null keeps it.</summary>
    protected abstract string? Replace(int scalar);
}

/// <summary>Drops combining marks. Text has to be decomposed before, or there are none to drop.</summary>
internal sealed class StripAccentsNormalizer : CharacterNormalizer
{
    protected override string? Replace(int scalar) =>
        CharClass.Category(scalar) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
            ? ""
            : null;
}

/// <summary>The clean-up of the NMT task of SentencePiece: control characters go, odd spaces become plain ones.</summary>
internal sealed class NmtNormalizer : CharacterNormalizer
{
    protected override string? Replace(int scalar) => scalar switch
    {
        (>= 0x01 and <= 0x08) or 0x0B or (>= 0x0E and <= 0x1F) or 0x7F or 0x8F or 0x9F => "",
        0x09 or 0x0A or 0x0C or 0x0D or 0x1680 or (>= 0x200B and <= 0x200F) or 0x2028 or 0x2029 or 0x2581 or 0xFEFF or 0xFFFD => " ",
        _ => null,
    };
}

/// <summary>Lower-cases, character by character (special mappings such as İ to i̇ included).</summary>
internal sealed class LowercaseNormalizer : CharacterNormalizer
{
    private static readonly string[] Ascii = [.. Enumerable.Range(0, 128).Select(unit => char.ToLowerInvariant((char)unit).ToString())];

    protected override string? Replace(int scalar)
    {
        if (scalar < 128)
        {
            return scalar is >= 'A' and <= 'Z' ? Ascii[scalar] : null;
        }

        if (scalar == 0x0130)
        {
            return "i\u0307"; // The one character whose lower case has two (SpecialCasing.txt).
        }

        var lower = Rune.ToLowerInvariant(new Rune(scalar));
        return lower.Value == scalar ? null : lower.ToString();
    }
}

/// <summary>Writes the bytes of the text in <see cref="ByteAlphabet"/>.</summary>
internal sealed class ByteLevelNormalizer : CharacterNormalizer
{
    protected override string? Replace(int scalar)
    {
        Span<byte> bytes = stackalloc byte[4];
        Span<char> spelt = stackalloc char[4];
        var count = new Rune(scalar).EncodeToUtf8(bytes);
        for (var i = 0; i < count; i++)
        {
            spelt[i] = ByteAlphabet.Of(bytes[i]);
        }

        return new string(spelt[..count]);
    }
}
