using LlmOs.Engine.Formats;

namespace LlmOs.Models.Zoo;

/// <summary>Angles of rotary position embedding (RoFormer, arXiv 2104.09864, section 3.2), computed in double precision.</summary>
internal static class RotaryTable
{
    /// <summary>Radians a token for each pair of a head: [headDim / 2].</summary>
    public static double[] Frequencies(RopeConfig rope, int headDim)
    {
        var frequencies = new double[headDim / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var plain = Math.Pow(rope.Theta, -2.0 * i / headDim);
            frequencies[i] = rope.Type switch
            {
                RopeType.Default => plain,
                RopeType.Linear => plain / rope.Factor,
                RopeType.Llama3 => Llama3(rope, plain),
            };
        }

        return frequencies;
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

    /// <summary>Cosines or sines of one position: [pairs]. Pairs beyond the frequencies do not turn.</summary>
    public static void Fill(double[] frequencies, int position, Func<double, double> function, Span<float> row)
    {
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = (float)function(i < frequencies.Length ? position * frequencies[i] : 0);
        }
    }
}
