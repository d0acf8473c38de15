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

            done = match.End;
        }

        rewriter.Copy(done, text.Text.Length - done);
        return rewriter.Finish();
    }
}
