namespace LlmOs.Formats.Tokenizers.Patterns;

/// <summary>A parsed regular expression.</summary>
internal abstract record PatternNode
{
    public sealed record Nothing : PatternNode;

    public sealed record One(CodeSet Set) : PatternNode;

    public sealed record Chain(IReadOnlyList<PatternNode> Parts) : PatternNode;

    public sealed record Either(IReadOnlyList<PatternNode> Options) : PatternNode;

    /// <param name="Max">-1: without end.</param>
    public sealed record Loop(PatternNode Body, int Min, int Max, LoopMode Mode) : PatternNode;

    public sealed record Atomic(PatternNode Body) : PatternNode;

    public sealed record Look(PatternNode Body, bool Behind, bool Negative) : PatternNode;

    public sealed record Anchor(AnchorKind Kind) : PatternNode;
}

internal enum LoopMode
{
    Greedy,
    Lazy,
    Possessive,
}

internal enum AnchorKind
{
    TextStart,
    TextEnd,
    TextEndOrLastLine,
    LineStart,
    LineEnd,
    WordBoundary,
    NoWordBoundary,
}
