namespace LlmOs.Models.Tasks;

/// <summary>Takes away the blanks that tokenizers leave before punctuation and English short forms (transformers' <c>clean_up_tokenization</c>).</summary>
internal static class SpaceCleanUp
{
    private static readonly (string From, string To)[] Pairs =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    public static string Of(string text) => Pairs.Aggregate(text, (cleaned, pair) => cleaned.Replace(pair.From, pair.To, StringComparison.Ordinal));
}
