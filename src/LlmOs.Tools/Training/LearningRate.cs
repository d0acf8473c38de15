namespace LlmOs.Tools.Training;

/// <summary>How a rate falls.</summary>
internal enum RateShape
{
    /// <summary>Half a cosine.</summary>
    Cosine,

    /// <summary>A line.</summary>
    Linear,

    /// <summary>Not at all.</summary>
    Constant,
}

/// <summary>
/// Warm-up and fall: the rate rises in a line from 0 to its highest value, then falls to a share of it (the cosine is SGDR's,
/// arXiv:1608.03983, without restarts). The numbers are those of transformers' schedules of the same names.
/// </summary>
/// <param name="Highest">Rate at the end of the warm-up.</param>
/// <param name="Warmup">Share of the training, from 0 to 1.</param>
/// <param name="Minimum">Share of the highest rate at the end, from 0 to 1.</param>
internal sealed record LearningRate(double Highest, double Warmup, double Minimum, RateShape Shape = RateShape.Cosine)
{
    /// <param name="progress">Share of the training that is done, from 0 to 1.</param>
    public double At(double progress)
    {
        if (progress < Warmup)
        {
            return Highest * progress / Warmup;
        }

        var done = Warmup < 1 ? Math.Min(1, (progress - Warmup) / (1 - Warmup)) : 1;
        var height = Shape switch
        {
            RateShape.Cosine => 0.5 * (1 + Math.Cos(Math.PI * done)),
            RateShape.Linear => 1 - done,
            RateShape.Constant => 1,
        };
        return Highest * (Minimum + ((1 - Minimum) * height));
    }
}
