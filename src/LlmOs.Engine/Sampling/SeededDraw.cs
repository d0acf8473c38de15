using System.Security.Cryptography;

namespace LlmOs.Engine.Sampling;

/// <summary>
/// Uniform numbers that depend on nothing but a seed and a position, so that a run repeats whatever ran beside it and
/// however often it was paused.
/// </summary>
/// <remarks>SplitMix64's finaliser (Steele, Lea, Flood 2014) over seed and position.</remarks>
internal static class SeededDraw
{
    /// <summary>In [0, 1), 53 bits.</summary>
    public static double At(long seed, int position)
    {
        var state = Mix((ulong)seed) + (0x9E3779B97F4A7C15UL * ((ulong)position + 1));
        return (Mix(state) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>A seed for a request that named none.</summary>
    public static long NewSeed()
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToInt64(bytes);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
