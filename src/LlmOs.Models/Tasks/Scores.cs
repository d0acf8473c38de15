using System.Numerics.Tensors;

namespace LlmOs.Models.Tasks;

/// <summary>Scores to probabilities.</summary>
internal static class Scores
{
    public static float[] Softmax(ReadOnlySpan<float> scores)
    {
        // In double: the sum of a vocabulary's shares is then exact to the last digit that is shown.
        var best = TensorPrimitives.Max(scores);
        var shares = new float[scores.Length];
        var total = 0.0;
        foreach (var score in scores)
        {
            total += Math.Exp((double)score - best);
        }

        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = (float)(Math.Exp((double)scores[i] - best) / total);
        }

        return shares;
    }

    public static float[] Sigmoid(ReadOnlySpan<float> scores)
    {
        var shares = new float[scores.Length];
        TensorPrimitives.Sigmoid(scores, shares);
        return shares;
    }

    /// <summary>Indices of the highest scores, best first; among equals the lower index.</summary>
    public static IEnumerable<int> Best(IReadOnlyList<float> scores, int count) =>
        Enumerable.Range(0, scores.Count).OrderByDescending(i => scores[i]).Take(count);
}
