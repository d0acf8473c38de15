namespace LlmOs.Tools.Training;

/// <summary>
/// Warm-up and cosine: the rate rises in a line from 0 to its highest value, then follows half a cosine down to a share of it
/// (SGDR, arXiv:1608.03983, without restarts; the numbers of transformers' <c>cosine_with_min_lr</c>).
/// </summary>
/// <param name="Highest">Rate at the end of the warm-up.</param>
/// <param name="Warmup">Share of the training, from 0 to 1.</param>
/// <param name="Minimum">Share of the highest rate at the end, from 0 to 1.</param>
internal sealed record LearningRate(double Highest, double Warmup, double Minimum)
{
    /// <param name="progress">Share of the training that is done, from 0 to 1.</param>
    public double At(double progress)
    {
        if (progress < Warmup)
        {
            return Highest * progress / Warmup;
        }

        var done = Warmup < 1 ? Math.Min(1, (progress - Warmup) / (1 - Warmup)) : 1;
        return Highest * (Minimum + ((1 - Minimum) * 0.5 * (1 + Math.Cos(Math.PI * done))));
    }
}
