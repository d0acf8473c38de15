namespace LlmOs.Engine.Sampling;

/// <summary>Changes of scores that depend on the tokens before: the same definitions as transformers' logits processors.</summary>
internal static class HistoryFilters
{
    /// <summary>Bans each token that would complete a group of <paramref name="n"/> tokens that <paramref name="text"/> holds already.</summary>
    /// <param name="text">Where groups are looked for: the history itself, or the source.</param>
    /// <param name="history">What the new token follows.</param>
    public static void BanRepeats(Span<float> scores, ReadOnlySpan<int> text, ReadOnlySpan<int> history, int n)
    {
        if (history.Length < n - 1)
        {
            return;
        }

        var end = history[(history.Length - (n - 1))..];
        for (var at = 0; at + n <= text.Length; at++)
        {
            var completes = text[at + n - 1];
            if (text.Slice(at, n - 1).SequenceEqual(end) && (uint)completes < (uint)scores.Length)
            {
                scores[completes] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Bans the last token of each sequence whose others the history ends in.</summary>
    public static void BanWords(Span<float> scores, ReadOnlySpan<int> history, IReadOnlyList<int[]> words, IReadOnlyList<int> endTokens)
    {
        foreach (var word in words)
        {
            if (Follows(word, history, scores.Length) && !(word.Length == 1 && endTokens.Contains(word[0])))
            {
                scores[word[^1]] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Adds a bias to the last token of each sequence whose others the history ends in.</summary>
    public static void BiasSequences(Span<float> scores, ReadOnlySpan<int> history, IReadOnlyList<(int[] Tokens, float Bias)> sequences)
    {
        foreach (var (tokens, bias) in sequences)
        {
            if (Follows(tokens, history, scores.Length))
            {
                scores[tokens[^1]] += bias;
            }
        }
    }

    /// <summary>Leaves one token only.</summary>
    public static void Force(Span<float> scores, int token)
    {
        scores.Fill(float.NegativeInfinity);
        scores[token] = 0;
    }

    private static bool Follows(int[] sequence, ReadOnlySpan<int> history, int vocabulary) =>
        sequence.Length > 0 && (uint)sequence[^1] < (uint)vocabulary && sequence.Length - 1 <= history.Length && history.EndsWith(sequence.AsSpan(0, sequence.Length - 1));
}
