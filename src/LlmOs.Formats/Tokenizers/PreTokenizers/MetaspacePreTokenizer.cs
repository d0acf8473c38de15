using LlmOs.Formats.Text;
using LlmOs.Formats.Tokenizers.Normalizers;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>When SentencePiece's mark is put before a text.</summary>
internal enum PrependScheme
{
    Always,
    First,
    Never,
}

/// <summary>SentencePiece's way with spaces: they become <c>▁</c>, one is put first, and words begin with it.</summary>
internal sealed class MetaspacePreTokenizer(string mark, PrependScheme scheme, bool split) : IPreTokenizer
{
    public static PrependScheme ReadScheme(Fields fields)
    {
        var scheme = fields.StringOrNull("prepend_scheme") switch
        {
            null or "always" => PrependScheme.Always,
            "first" => PrependScheme.First,
            "never" => PrependScheme.Never,
            var word => throw new TokenizerFormatException($"{fields.Component}.prepend_scheme is \"{word}\"; always, first or never was expected."),
        };

        // The older spelling of the same setting.
        return fields.Flag("add_prefix_space", true) ? scheme : PrependScheme.Never;
    }

    public void Split(Pieces pieces)
    {
        var rewritten = new List<AlignedText>(pieces.List.Count);
        foreach (var piece in pieces.List)
        {
            rewritten.Add(Rewrite(pieces.Text.Slice(piece.Start, piece.Length)));
        }

        var text = AlignedText.Join(rewritten, pieces.Text);
        var result = new List<Piece>();
        var start = 0;
        foreach (var part in rewritten)
        {
            Cut(part.Text, start, result);
            start += part.Text.Length;
        }

        pieces.Replace(text, result);
    }

    private AlignedText Rewrite(AlignedText text)
    {
        text = new ReplaceNormalizer(TextPattern.Of(" "), mark).Normalize(text);
        var first = text.Text.Length == 0 || text.StartOf(0) == 0;
        var prepend = scheme == PrependScheme.Always || (scheme == PrependScheme.First && first);
        return prepend && !text.Text.StartsWith(mark, StringComparison.Ordinal) ? PrependNormalizer.Apply(text, mark) : text;
    }

    private void Cut(string text, int offset, List<Piece> result)
    {
        var start = 0;
        while (split && start < text.Length)
        {
            var next = text.IndexOf(mark, start + 1, StringComparison.Ordinal);
            if (next < 0)
            {
                break;
            }

            result.Add(new Piece(offset + start, next - start));
            start = next;
        }

        if (start < text.Length)
        {
            result.Add(new Piece(offset + start, text.Length - start));
        }
    }
}
