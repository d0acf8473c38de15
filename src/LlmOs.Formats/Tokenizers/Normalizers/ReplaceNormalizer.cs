namespace LlmOs.Formats.Tokenizers.Normalizers;

/// <summary>Puts a text in the place of every match of a pattern.</summary>
internal sealed class ReplaceNormalizer(TextPattern pattern, string content) : INormalizer
{
    public AlignedText Normalize(AlignedText text)
    {
        if (pattern.Literal is { Length: 1 } from && content.Length == 1 && !text.Tracked)
        {
            return new AlignedText(text.Text.Replace(from[0], content[0]), text.Origin, tracked: false, text.Work);
        }

        if (text.Text.Length == 0)
        {
            return text; // the format's rule: nothing is found in nothing, not even a start
        }

        var matches = pattern.Matches(text.Text, text.Work);
        if (matches.Count == 0)
        {
            return text;
        }

        var rewriter = new AlignedText.Rewriter(text, text.Text.Length);
        var done = 0;
        foreach (var match in matches)
        {
            rewriter.Copy(done, match.Start - done);
            if (match.Length > 0)
            {
                rewriter.Write(content, match.Start, match.Length);
            }
            else
            {
                Insert(content, match.Start, text.Text, ref rewriter);
            }

            done = match.End;
        }

        rewriter.Copy(done, text.Text.Length - done);
        return rewriter.Finish();
    }

    /// <summary>Content between two characters belongs to the one before; at the start to the first.</summary>
    private static void Insert(string content, int at, string text, ref AlignedText.Rewriter rewriter)
    {
        var end = Math.Max(at, 1);
        if (end < text.Length && char.IsSurrogatePair(text[end - 1], text[end]))
        {
            end++;
        }

        var start = end > 1 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? end - 2 : end - 1;
        rewriter.Write(content, start, end - start);
    }
}
