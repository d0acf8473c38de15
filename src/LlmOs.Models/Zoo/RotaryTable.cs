using LlmOs.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>Angles of rotary position embedding (RoFormer, arXiv 2104.09864, section 3.2), computed in double precision.</summary>
internal static class RotaryTable
{
    /// <summary>Radians a token for each pair that turns.</summary>
    public static double[] Frequencies(RopeConfig rope, int headDim)
    {
        var width = rope.RotaryWidth(headDim);
        var frequencies = new double[width / 2];
        if (rope.Divisors is { } divisors && divisors.Count != frequencies.Length)
        {
            throw new ModelFormatException(
                ModelFormatProblem.CorruptFile,
                $"config.json: 'short_factor' holds {divisors.Count} numbers; the heads have {frequencies.Length} rotary pairs.");
        }

        for (var i = 0; i < frequencies.Length; i++)
        {
            var plain = Math.Pow(rope.Theta, -2.0 * i / width) / (rope.Divisors?[i] ?? 1);
            frequencies[i] = rope.Type switch
            {
                RopeType.Default => plain,
                RopeType.Linear => plain / rope.Factor,
                RopeType.Llama3 => Llama3(rope, plain),
                RopeType.Yarn => Yarn(rope, plain, i, width),
            };
        }

        return frequencies;
    }

    /// <summary>YaRN, section 3.2: pairs that turn often are kept, those that turn seldom are stretched, with a linear ramp over the pairs between.</summary>
    private static double Yarn(RopeConfig rope, double frequency, int pair, int width)
    {
        double PairThatTurns(double times) => width * Math.Log(rope.OriginalContextLength / (times * 2 * Math.PI)) / (2 * Math.Log(rope.Theta));
        var (low, high) = (PairThatTurns(rope.BetaFast), PairThatTurns(rope.BetaSlow));
        if (rope.Truncate)
        {
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        }

        (low, high) = (Math.Max(low, 0), Math.Min(high, width - 1));
        var stretched = Math.Clamp((pair - low) / (low == high ? 0.001 : high - low), 0, 1);
        return (stretched * frequency / rope.Factor) + ((1 - stretched) * frequency);
    }

    /// <summary>
    /// Llama 3.1's rule: wavelengths beyond original/low are stretched by the factor, those below original/high are kept,
    /// and between them the two are blended linearly in original/wavelength.
    /// </summary>
    private static double Llama3(RopeConfig rope, double frequency)
    {
        var turns = rope.OriginalContextLength * frequency / (2 * Math.PI); // within the original context
        if (turns > rope.HighFrequencyFactor)
        {
            return frequency;
        }

        if (turns < rope.LowFrequencyFactor)
        {
            return frequency / rope.Factor;
        }

        var kept = rope.HighFrequencyFactor == rope.LowFrequencyFactor
            ? 1
            : (turns - rope.LowFrequencyFactor) / (rope.HighFrequencyFactor - rope.LowFrequencyFactor);
        return kept * frequency + (1 - kept) * frequency / rope.Factor;
    }

    /// <summary>Cosines or sines of one position times <paramref name="factor"/>: [pairs]. Pairs beyond the frequencies do not turn.</summary>
    public static void Fill(double[] frequencies, int position, Func<double, double> function, double factor, Span<float> row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = (float)(i < frequencies.Length ? factor * function(position * frequencies[i]) : function(0));
        }
    }
}
