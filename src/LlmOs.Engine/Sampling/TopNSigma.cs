namespace LlmOs.Engine.Sampling;

/// <summary>
/// Keeps the tokens whose score is at most N standard deviations of all scores below the best ("Top-nσ: Not All Logits Are You
/// Need", arXiv:2411.07641). The temperature moves distance and deviation alike, so it does not change what is kept.
/// </summary>
public sealed record TopNSigma(double N) : ScoreFilter
{
    internal override string? Fault => double.IsFinite(N) && N > 0 ? null : $"must be above 0, not {N}";

    internal override void Apply(Span<float> scores)
    {
        var (count, sum, best) = (0, 0.0, float.NegativeInfinity);
        foreach (var score in scores)
        {
            if (!float.IsNegativeInfinity(score))
            {
                (count, sum, best) = (count + 1, sum + score, Math.Max(best, score));
            }
        }

        var mean = sum / count;
        var squares = 0.0;
        foreach (var score in scores)
        {
            if (!float.IsNegativeInfinity(score))
            {
                squares += (score - mean) * (score - mean);
            }
        }

        var lowest = best - (N * Math.Sqrt(squares / count));
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] < lowest)
            {
                scores[i] = float.NegativeInfinity;
            }
        }
    }
}
