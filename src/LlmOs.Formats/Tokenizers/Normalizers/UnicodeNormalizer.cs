using System.Globalization;
using System.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>NFC, NFD, NFKC or NFKD.</summary>
internal sealed class UnicodeNormalizer(NormalizationForm form) : INormalizer
{
    public AlignedText Normalize(AlignedText text) => Apply(text, form);

    /// <remarks>
    /// The text is cut where normalisation cannot reach across, and each part is normalised by itself: that keeps the
    /// alignment close, and a run of a million combining marks is the only thing that costs more than its length.
    /// </remarks>
    public static AlignedText Apply(AlignedText text, NormalizationForm form)
    {
        var source = text.Text;
        if (IsPlain(source, form) || (!source.Contains('\uFFFE') && source.IsNormalized(form)))
        {
            return text;
        }

        var rewriter = new AlignedText.Rewriter(text, source.Length + 16);
        var kept = 0;
        for (var at = 0; at < source.Length;)
        {
            // Plain characters stay; only the last one before another may be changed by it.
            var plain = source.AsSpan(at).IndexOfAnyExceptInRange('\0', LastPlain(form));
            if (plain < 0)
            {
                break;
            }

            at += Math.Max(plain - 1, 0);
            var end = EndOfPart(source, at);
            var part = source.AsSpan(at, end - at);
            if (!IsPlain(part, form) && Changed(part, form) is { } changed)
            {
                rewriter.Copy(kept, at - kept);
                WriteAligned(ref rewriter, part, changed, at);
                kept = end;
            }

            at = end;
        }

        if (kept == 0)
        {
            return text;
        }

        rewriter.Copy(kept, source.Length - kept);
        return rewriter.Finish();
    }

    private static void WriteAligned(ref AlignedText.Rewriter rewriter, ReadOnlySpan<char> part, string changed, int at)
    {
        // Characters that stayed at the head keep their own place; the rest stands for the rest.
        var same = part.CommonPrefixLength(changed);
        while (same > 0 && (same >= part.Length || same >= changed.Length || !IsBoundary(changed, same) || !IsBoundary(part, same)))
        {
            same--;
        }

        rewriter.Copy(at, same);
        rewriter.Write(changed.AsSpan(same), at + same, part.Length - same);
    }

    private static bool IsBoundary(ReadOnlySpan<char> text, int index) => !char.IsLowSurrogate(text[index]);

    private static string? Changed(ReadOnlySpan<char> part, NormalizationForm form)
    {
        if (part.Contains('\uFFFE'))
        {
            return null; // A noncharacter; the platform's normaliser refuses it, Unicode leaves it alone.
        }

        var source = part.ToString();
        var changed = source.Normalize(form);
        return changed == source ? null : changed;
    }

    // Nothing below U+00C0 composes or decomposes canonically, nothing below U+00A0 by compatibility.
    private static char LastPlain(NormalizationForm form) => form is NormalizationForm.FormC or NormalizationForm.FormD ? '\u00BF' : '\u009F';

    private static bool IsPlain(ReadOnlySpan<char> text, NormalizationForm form) => text.IndexOfAnyExceptInRange('\0', LastPlain(form)) < 0;

    // A part ends before a character that neither combines with what stands before it nor is moved across it.
    private static int EndOfPart(string text, int at)
    {
        for (var first = true; at < text.Length; first = false)
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var used);
            if (!first && StartsPart(rune.Value))
            {
                return at;
            }

            at += used;
            if (rune.Value == 0xFFFE || (at < text.Length && text[at] == '\uFFFE'))
            {
                return at;
            }
        }

        return at;
    }

    private static bool StartsPart(int scalar)
    {
        if (scalar is (>= 0x1160 and <= 0x11FF) or (>= 0xD7B0 and <= 0xD7FF) or (>= 0x3130 and <= 0x318F) or (>= 0xFF9E and <= 0xFFDC))
        {
            return false; // Hangul letters, and half-width voicing marks and Hangul, whose full forms combine.
        }

        // Compatibility forms such as U+FC5E begin with a space and marks, and so count as marks themselves would.
        if (scalar is >= 0xFB50 and <= 0xFEFF)
        {
            return false;
        }

        return CharClass.Category(scalar) is not (UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark);
    }
}
