namespace LlmOs.Trainer.Optimisation;

/// <summary>Clipping of gradients by their norm (arXiv:1211.5063, algorithm 1), with torch's small number under the division.</summary>
internal static class Clipping
{
    /// <summary>What a gradient of this norm is multiplied with so that its norm is at most <paramref name="limit"/>.</summary>
    public static double Scale(double norm, double limit) => Math.Min(1, limit / (norm + 1e-6));
}
