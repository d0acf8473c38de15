using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>A prompt token's log-probability given those before it; the first token has none.</summary>
internal sealed record PromptScore(int Token, float? Logprob, IReadOnlyList<TokenLogprob> Top);

/// <summary>Log-probabilities of a prompt itself, for <c>echo</c>.</summary>
internal static class PromptScores
{
    /// <param name="logits">[tokens, vocabulary] row-major; row i predicts token i + 1.</param>
    /// <param name="top">How many of the likeliest tokens to report at each place.</param>
    public static IReadOnlyList<PromptScore> Of(ReadOnlySpan<int> tokens, ReadOnlySpan<float> logits, int top)
    {
        var vocabulary = logits.Length / tokens.Length;
        var scores = new List<PromptScore>(tokens.Length) { new(tokens[0], Logprob: null, []) };
        for (var at = 1; at < tokens.Length; at++)
        {
            var row = logits.Slice((at - 1) * vocabulary, vocabulary);
            var normaliser = LogSumExp(row);
            scores.Add(new PromptScore(tokens[at], (float)(row[tokens[at]] - normaliser), Highest(row, normaliser, top)));
        }

        return scores;
    }

    private static double LogSumExp(ReadOnlySpan<float> row)
    {
        var highest = float.NegativeInfinity;
        foreach (var logit in row)
        {
            highest = Math.Max(highest, logit);
        }

        var sum = 0.0;
        foreach (var logit in row)
        {
            sum += Math.Exp(logit - highest);
        }

        return highest + Math.Log(sum);
    }

    /// <summary>The likeliest tokens, best first; of equals the lower id.</summary>
    private static List<TokenLogprob> Highest(ReadOnlySpan<float> row, double normaliser, int top)
    {
        var best = new List<TokenLogprob>(top + 1);
        for (var id = 0; id < row.Length && top > 0; id++)
        {
            if (best.Count == top && row[id] <= best[^1].Logprob)
            {
                continue;
            }

            var logit = row[id];
            var at = best.FindIndex(b => logit > b.Logprob);
            best.Insert(at < 0 ? best.Count : at, new TokenLogprob(id, logit));
            if (best.Count > top)
            {
                best.RemoveAt(top);
            }
        }

        return best.ConvertAll(b => b with { Logprob = (float)(b.Logprob - normaliser) });
    }
}
