namespace LlmOs.Tools.Evaluation.Metrics;

/// <summary>BLEU from counts, with sacreBLEU's ways of smoothing.</summary>
/// <param name="Precisions">In percent, by order, smoothed.</param>
/// <param name="Right">The counts that it was made of: with add-k what was added is among them.</param>
/// <param name="Total">The same of all grams.</param>
internal sealed record BleuScore(double Score, double BrevityPenalty, double[] Precisions, double[] Right, double[] Total)
{
    /// <summary>Stands for the logarithm of zero, so that the score becomes zero.</summary>
    private const double LogOfZero = -9999999999;

    public static IReadOnlyDictionary<string, string> Methods { get; } =
        new[] { "exp", "floor", "add-k", "none" }.ToDictionary(word => word, StringComparer.Ordinal);

    public static double StandardValue(string method) => method == "add-k" ? 1 : 0;

    public static BleuScore Of(BleuCounts counts, BleuSmoothing smooth, bool effectiveOrder)
    {
        var precisions = new double[counts.Right.Length];
        double[] rights = [.. counts.Right.Select(count => (double)count)], totals = [.. counts.Total.Select(count => (double)count)];
        var penalty = counts.Length >= counts.ReferenceLength ? 1
            : counts.Length > 0 ? Math.Exp(1 - ((double)counts.ReferenceLength / counts.Length)) : 0;
        if (counts.Right.All(right => right == 0))
        {
            return new BleuScore(0, penalty, precisions, rights, totals);
        }

        var used = precisions.Length;
        var halves = 1.0;
        for (var n = 0; n < precisions.Length; n++)
        {
            var more = smooth.Method == "add-k" && n > 0 ? smooth.Value : 0;
            var (right, total) = (rights[n] += more, totals[n] += more);
            if (total == 0)
            {
                break;
            }

            used = effectiveOrder ? n + 1 : used;
            precisions[n] = 100 * right / total;
            if (right == 0 && smooth.Method == "exp")
            {
                halves *= 2;
                precisions[n] = 100 / (halves * total);
            }
            else if (right == 0 && smooth.Method == "floor")
            {
                precisions[n] = 100 * smooth.Value / total;
            }
        }

        var logs = precisions.Take(used).Sum(p => p == 0 ? LogOfZero : Math.Log(p));
        return new BleuScore(penalty * Math.Exp(logs / used), penalty, precisions, rights, totals);
    }
}
