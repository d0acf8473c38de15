namespace LlmOs.Models.Generation;

/// <summary>A source's ids with what its tokenizer puts before and behind them: an end token, the code of a language.</summary>
internal sealed record SourceFrame(int[] Before, int[] Text, int[] After)
{
    public int Length => Before.Length + Text.Length + After.Length;

    public int[] Ids => [.. Before, .. Text, .. After];

    /// <param name="framed">The text's ids with special tokens.</param>
    /// <param name="plain">The text's ids without them.</param>
    public static SourceFrame Of(int[] framed, int[] plain)
    {
        var at = framed.AsSpan().IndexOf(plain);
        return at >= 0 ? new SourceFrame(framed[..at], plain, framed[(at + plain.Length)..])
            : framed.Length == 0 ? new SourceFrame([], [], [])
            : new SourceFrame([], framed[..^1], framed[^1..]);
    }

    /// <summary>The source in a language: its code stands where the tokenizer puts one, else behind the end token, as mBART has it.</summary>
    /// <param name="code">The token of the language.</param>
    /// <param name="end">The end token.</param>
    public SourceFrame In(int code, int end)
    {
        int[] Swap(int[] ids) => Array.ConvertAll(ids, id => id == end ? id : code);
        return Before.Concat(After).Any(id => id != end) ? this with { Before = Swap(Before), After = Swap(After) } : this with { Before = [], After = [end, code] };
    }

    /// <summary>At most so many ids; only the text is cut.</summary>
    /// <param name="keepsBegin">Whether the text's beginning stays, or its end.</param>
    public int[] Cut(int max, bool keepsBegin)
    {
        var room = Math.Clamp(max - Before.Length - After.Length, 0, Text.Length);
        return [.. Before, .. keepsBegin ? Text[..room] : Text[^room..], .. After];
    }
}
