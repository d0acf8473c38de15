namespace LlmOs.Engine.Text.Tokenizers.PostProcessors;

/// <summary>One place of the final token list: a token that is added, or a whole text.</summary>
/// <param name="Text">0 the first text, 1 the second, -1 an added token.</param>
internal readonly record struct Slot(int Text, int Id, int TypeId);

/// <summary>Which tokens are put around the texts, and how ranges are trimmed.</summary>
/// <param name="Single">Around one text.</param>
/// <param name="Pair">Around two.</param>
/// <param name="TrimSpaces">Whether a token's range leaves the white space at its ends out.</param>
/// <param name="KeepsFirstSpace">Whether the first token keeps one leading space, which was not in the text.</param>
internal sealed record PostProcessor(
    IReadOnlyList<Slot> Single, IReadOnlyList<Slot> Pair, bool TrimSpaces = false, bool KeepsFirstSpace = false)
{
    /// <summary>The texts alone.</summary>
    public static PostProcessor None { get; } = new([new Slot(0, 0, 0)], [new Slot(0, 0, 0), new Slot(1, 0, 1)]);
}
