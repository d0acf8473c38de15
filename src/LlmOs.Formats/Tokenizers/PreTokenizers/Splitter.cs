using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.PreTokenizers;

/// <summary>What becomes of the matches that a text is cut at.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Cuts a piece at matches. Pieces that would be empty are left out.</summary>
internal static class Splitter
{
    public static SplitBehavior Read(Fields fields, string name, SplitBehavior otherwise) => fields.StringOrNull(name)?.ToLowerInvariant() switch
    {
        null => otherwise,
        "removed" => SplitBehavior.Removed,
        "isolated" => SplitBehavior.Isolated,
        "mergedwithprevious" or "merged_with_previous" => SplitBehavior.MergedWithPrevious,
        "mergedwithnext" or "merged_with_next" => SplitBehavior.MergedWithNext,
        "contiguous" => SplitBehavior.Contiguous,
        var word => throw new TokenizerFormatException($"{fields.Component}.{name} is \"{word}\", which is not supported."),
    };

    /// <param name="matches">Stretches of the piece (counted from its start), in order, not overlapping.</param>
    /// <param name="invert">Whether the stretches between the matches are what the text is cut at.</param>
    public static void Cut(Piece piece, List<Piece> matches, SplitBehavior behavior, bool invert, List<Piece> result)
    {
        var done = 0;
        var open = new Piece(0, 0);      // What later stretches may still join.
        var openIsCut = false;
        foreach (var match in matches)
        {
            Take(new Piece(done, match.Start - done), cut: invert);
            Take(match, cut: !invert);
            done = match.End;
        }

        Take(new Piece(done, piece.Length - done), cut: invert);
        Emit(open);

        void Take(Piece part, bool cut)
        {
            if (part.Length == 0)
            {
                return;
            }

            var joins = behavior switch
            {
                SplitBehavior.MergedWithPrevious => cut && !openIsCut,
                SplitBehavior.MergedWithNext => !cut && openIsCut,
                SplitBehavior.Contiguous => cut == openIsCut,
                _ => false,
            };
            if (open.Length > 0 && joins)
            {
                open = new Piece(open.Start, open.Length + part.Length);
            }
            else
            {
                Emit(open);
                open = behavior == SplitBehavior.Removed && cut ? default : part;
            }

            openIsCut = cut;
        }

        void Emit(Piece part)
        {
            if (part.Length > 0)
            {
                result.Add(new Piece(piece.Start + part.Start, part.Length));
            }
        }
    }
}
