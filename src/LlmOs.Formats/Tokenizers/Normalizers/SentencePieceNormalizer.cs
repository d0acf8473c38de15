using System.Text;

namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>How SentencePiece prepares a text.</summary>
internal sealed record SentencePieceRules
{
    /// <summary>Null: characters stay as they are.</summary>
    public CharacterMap? Map { get; init; }

    /// <summary>Whether a space is put before the text (behind it with <see cref="SpaceIsSuffix"/>).</summary>
    public bool AddsSpace { get; init; } = true;

    /// <summary>Whether spaces at the ends go and runs of them become one.</summary>
    public bool RemovesExtraSpaces { get; init; } = true;

    /// <summary>Whether a space becomes <c>▁</c>.</summary>
    public bool EscapesSpaces { get; init; } = true;

    /// <summary>Whether words end with their space instead of beginning with it.</summary>
    public bool SpaceIsSuffix { get; init; }

    /// <summary>Symbols that no rule touches; null when there are none.</summary>
    public TokenSearch? Untouched { get; init; }
}

/// <summary>SentencePiece's own normalisation (google/sentencepiece, <c>normalizer.cc</c>): the longest mapped text at each place.</summary>
internal sealed class SentencePieceNormalizer(SentencePieceRules rules) : INormalizer
{
    private readonly string _space = rules.EscapesSpaces ? "▁" : " ";

    public AlignedText Normalize(AlignedText text)
    {
        var source = text.Text;
        if (source.Length == 0)
        {
            return text;
        }

        var rewriter = new AlignedText.Rewriter(text, source.Length + 8);
        var at = rules.RemovesExtraSpaces ? SkipSpaces(source) : 0;
        if (at < source.Length && rules is { AddsSpace: true, SpaceIsSuffix: false })
        {
            rewriter.Write(_space, at, CharacterLength(source, at));
        }

        var afterSpace = rules.RemovesExtraSpaces;
        while (at < source.Length)
        {
            var plain = PlainRun(source, at);
            if (plain > 0)
            {
                rewriter.Copy(at, plain);
                at += plain;
                afterSpace = false;
                continue;
            }

            if (afterSpace && PlainSpaces(source, at) is var spaces and > 0)
            {
                at += spaces;
                continue;
            }

            var replacement = Next(source, at, out var used);
            var skip = 0;
            while (afterSpace && skip < replacement.Length && replacement[skip] == ' ')
            {
                skip++;
            }

            replacement = replacement[skip..];
            if (replacement.Length > 0)
            {
                WriteEscaped(ref rewriter, replacement, at, used);
                afterSpace = rules.RemovesExtraSpaces && replacement[^1] == ' ';
            }

            at += used;
        }

        if (rules.RemovesExtraSpaces)
        {
            rewriter.TrimEnd(_space[0]);
        }

        if (rules is { AddsSpace: true, SpaceIsSuffix: true } && rewriter.Count > 0)
        {
            rewriter.Write(_space, source.Length - 1, 1);
        }

        return rewriter.Finish();
    }

    private int SkipSpaces(string source)
    {
        var at = PlainSpaces(source, 0);
        while (at < source.Length && Next(source, at, out var used) is [' '])
        {
            at += used;
        }

        return at;
    }

    /// <summary>How many characters from here on nothing can change.</summary>
    private int PlainRun(string source, int at)
    {
        if (rules.Untouched is not null)
        {
            return 0;
        }

        if (rules.Map is null)
        {
            var space = source.AsSpan(at).IndexOf(' ');
            return space < 0 ? source.Length - at : space;
        }

        var end = at;
        while (end < source.Length && source[end] is > ' ' and < '\x7F'
            && rules.Map.IsPlainBeforeAscii(source[end]) && (end + 1 == source.Length || source[end + 1] < 128))
        {
            end++;
        }

        return end - at;
    }

    /// <summary>How many characters from here on are spaces that no rule rewrites.</summary>
    private int PlainSpaces(string source, int at)
    {
        if (source[at] != ' ' || rules.Untouched is not null || rules.Map?.IsPlainBeforeAscii(' ') == false)
        {
            return 0;
        }

        var run = source.AsSpan(at).IndexOfAnyExcept(' ');
        return run < 0 ? source.Length - at
            : source[at + run] < 128 ? run
            : run - 1; // the last may begin a text that the map knows
    }

    private ReadOnlySpan<char> Next(string source, int at, out int used)
    {
        var rest = source.AsSpan(at);
        if (rules.Untouched?.At(rest) is { } length and > 0)
        {
            used = length;
            return rest[..length];
        }

        if (rules.Map?.FindLongest(rest, out used) is { } mapped)
        {
            return mapped;
        }

        used = CharacterLength(source, at);
        return rest[..used];
    }

    private void WriteEscaped(ref AlignedText.Rewriter rewriter, ReadOnlySpan<char> replacement, int at, int used)
    {
        for (var space = replacement.IndexOf(' '); rules.EscapesSpaces && space >= 0; space = replacement.IndexOf(' '))
        {
            rewriter.Write(replacement[..space], at, used);
            rewriter.Write(_space, at, used);
            replacement = replacement[(space + 1)..];
        }

        rewriter.Write(replacement, at, used);
    }

    private static int CharacterLength(string source, int at)
    {
        Rune.DecodeFromUtf16(source.AsSpan(at), out _, out var used);
        return used;
    }
}
