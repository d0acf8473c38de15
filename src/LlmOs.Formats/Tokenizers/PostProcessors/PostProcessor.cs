namespace LlmOs.Formats.Tokenizers.PostProcessors;

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

    /// <summary>BERT's: [CLS] A [SEP] B [SEP].</summary>
    public static PostProcessor Bert(int begin, int end) => new(
        [Added(begin), Text(0), Added(end)],
        [Added(begin), Text(0), Added(end), Text(1, 1), Added(end, 1)]);

    /// <summary>RoBERTa's: two ends between the texts, one segment.</summary>
    public static PostProcessor Roberta(int begin, int end) => new(
        [Added(begin), Text(0), Added(end)],
        [Added(begin), Text(0), Added(end), Added(end), Text(1), Added(end)]);

    /// <summary>The same tokens around each text.</summary>
    public static PostProcessor Around(IReadOnlyList<int> before, IReadOnlyList<int> after)
    {
        if (before.Count == 0 && after.Count == 0)
        {
            return None;
        }

        Slot[] first = [.. before.Select(id => Added(id)), Text(0), .. after.Select(id => Added(id))];
        return new PostProcessor(first, [.. first, .. before.Select(id => Added(id, 1)), Text(1, 1), .. after.Select(id => Added(id, 1))]);
    }

    private static Slot Added(int id, int type = 0) => new(-1, id, type);

    private static Slot Text(int text, int type = 0) => new(text, 0, type);
}
