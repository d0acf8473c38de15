namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>Cuts at the matches of a text or a regular expression.</summary>
internal sealed class PatternSplit(TextPattern pattern, SplitBehavior behavior, bool invert) : IPreTokenizer
{
    public void Split(Pieces pieces)
    {
        var result = new List<Piece>(pieces.List.Count);
        var matches = new List<Piece>();
        foreach (var piece in pieces.List)
        {
            matches.Clear();
            pattern.Matches(pieces[piece], matches, pieces.Text.Work);
            Splitter.Cut(piece, matches, behavior, invert, result);
        }

        pieces.Replace(result);
    }

    /// <summary>Each match a piece of its own, and what lies between.</summary>
    public static IPreTokenizer Isolated(string source) =>
        WordPatterns.Find(source) ?? (IPreTokenizer)new PatternSplit(TextPattern.OfRegex(source, "pattern"), SplitBehavior.Isolated, invert: false);

    /// <summary>The split that a file asks for, by hand where the pattern is one of the well-known ones.</summary>
    public static IPreTokenizer Read(Fields fields)
    {
        var pattern = TextPattern.Read(fields, "pattern");
        var behavior = Splitter.Read(fields, "behavior", SplitBehavior.Isolated);
        var invert = fields.Flag("invert", false);

        // These patterns cover any text without gaps, so that these three say the same.
        var covers = behavior == SplitBehavior.Isolated || (behavior == SplitBehavior.Removed && invert);
        return covers && pattern.Source is { } source && WordPatterns.Find(source) is { } known
            ? known
            : new PatternSplit(pattern, behavior, invert);
    }
}
