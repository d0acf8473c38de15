namespace LlmOs.Tools.Training;

/// <summary>What to do with a step's gradient.</summary>
internal enum StepVerdict
{
    Take,

    /// <summary>Throw this gradient away and go on.</summary>
    Skip,

    /// <summary>Several in a row were bad: the weights themselves are.</summary>
    RollBack,
}

/// <summary>Tells a gradient that would wreck the weights from one that is only large: 20 times the running median, or not a number.</summary>
internal sealed class SpikeGuard
{
    private const int Remembered = 65;
    private const int Needed = 16;
    private const double Factor = 20;
    private const int InARow = 3;

    private readonly Queue<double> _norms = new();
    private int _bad;

    /// <summary>Steps skipped so far.</summary>
    public int Skipped { get; private set; }

    public StepVerdict Judge(double loss, double gradientNorm)
    {
        if (double.IsFinite(loss) && double.IsFinite(gradientNorm) && (_norms.Count < Needed || gradientNorm <= Factor * Median()))
        {
            _bad = 0;
            _norms.Enqueue(gradientNorm);
            if (_norms.Count > Remembered)
            {
                _norms.Dequeue();
            }

            return StepVerdict.Take;
        }

        Skipped++;
        if (++_bad < InARow)
        {
            return StepVerdict.Skip;
        }

        _bad = 0;
        return StepVerdict.RollBack;
    }

    private double Median()
    {
        double[] sorted = [.. _norms.Order()];
        return sorted[sorted.Length / 2];
    }
}
