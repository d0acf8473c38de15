namespace LlmOs.Tools.Evaluation;

/// <summary>Intervals and tests of evaluations. Chance comes from a fixed seed: the same data give the same numbers.</summary>
internal static class Statistics
{
    /// <summary>Resamples of a bootstrap or a permutation test.</summary>
    public const int Resamples = 10_000;

    /// <summary>Pairs up to which every combination of signs is tried.</summary>
    private const int MaxEnumerated = 16;

    /// <summary>Sums of the same numbers in another order differ by their rounding; such ones are equal.</summary>
    private const double Slack = 1e-12;

    private const int Seed = 20_240_229;

    /// <summary>The middle 95 % of a ratio of sums, by resampling rows (percentile bootstrap).</summary>
    /// <param name="numerators">Of each row: its sum of losses, or 1 where it is right.</param>
    /// <param name="denominators">Of each row: its tokens, or 1.</param>
    public static (double Low, double High) BootstrapRatio(IReadOnlyList<double> numerators, IReadOnlyList<double> denominators)
    {
        var random = new Random(Seed);
        var ratios = new double[Resamples];
        for (var sample = 0; sample < Resamples; sample++)
        {
            var (above, below) = (0.0, 0.0);
            for (var draw = 0; draw < numerators.Count; draw++)
            {
                var row = random.Next(numerators.Count);
                above += numerators[row];
                below += denominators[row];
            }

            ratios[sample] = above / below;
        }

        Array.Sort(ratios);
        return (Quantile(ratios, 0.025), Quantile(ratios, 0.975));
    }

    /// <summary>
    /// Two-sided paired permutation test: how often a random choice of signs gives a sum as far from 0 as the differences' own.
    /// With few pairs every choice of signs is tried, so the value is exact.
    /// </summary>
    public static double PermutationOfSigns(IReadOnlyList<double> differences)
    {
        var observed = Math.Abs(differences.Sum()) * (1 - Slack);
        if (differences.Count <= MaxEnumerated)
        {
            var all = 1 << differences.Count;
            return (double)Enumerable.Range(0, all).Count(signs => Math.Abs(Sum(differences, i => ((signs >> i) & 1) == 1)) >= observed) / all;
        }

        var random = new Random(Seed);
        var asFar = 0;
        for (var sample = 0; sample < Resamples; sample++)
        {
            asFar += Math.Abs(Sum(differences, _ => random.Next(2) == 1)) >= observed ? 1 : 0;
        }

        return (asFar + 1.0) / (Resamples + 1); // the observed choice of signs is one of them
    }

    /// <summary>McNemar's exact test: whether two answers to the same questions are right equally often.</summary>
    /// <param name="onlyFirst">Questions that only the first got right.</param>
    /// <param name="onlySecond">Questions that only the second got right.</param>
    public static double McNemarExact(int onlyFirst, int onlySecond)
    {
        var n = onlyFirst + onlySecond;
        var min = Math.Min(onlyFirst, onlySecond);
        if (n == 0)
        {
            return 1;
        }

        // Twice the tail of the binomial with p = 1/2, in logarithms: 2^-n underflows.
        var tail = 0.0;
        var logCoefficient = 0.0;
        for (var k = 0; k <= min; k++)
        {
            tail += Math.Exp(logCoefficient - (n * Math.Log(2)));
            logCoefficient += Math.Log(n - k) - Math.Log(k + 1);
        }

        return Math.Min(1, 2 * tail);
    }

    /// <summary>Linear interpolation at (n - 1) p of sorted values.</summary>
    internal static double Quantile(ReadOnlySpan<double> sorted, double p)
    {
        var at = (sorted.Length - 1) * p;
        var low = (int)at;
        var high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + ((at - low) * (sorted[high] - sorted[low]));
    }

    private static double Sum(IReadOnlyList<double> differences, Func<int, bool> isNegative)
    {
        var sum = 0.0;
        for (var i = 0; i < differences.Count; i++)
        {
            sum += isNegative(i) ? -differences[i] : differences[i];
        }

        return sum;
    }
}
