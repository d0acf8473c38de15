namespace LlmOs.Trainer.Optimisation;

/// <summary>What to do with a step's gradient.</summary>
internal enum StepVerdict
{
    Take,

    /// <summary>Throw this gradient away and go on.</summary>
    Skip,

    /// <summary>Several in a row were bad: the weights themselves are.</summary>
    RollBack,
}

/// <summary>What a <see cref="SpikeGuard"/> remembers; a part of each checkpoint, so that a resumed training judges alike.</summary>
/// <param name="Norms">The last good gradients' norms, oldest first.</param>
/// <param name="Bad">Bad gradients in a row.</param>
/// <param name="Skipped">Steps skipped so far.</param>
internal sealed record SpikeMemory(IReadOnlyList<double> Norms, int Bad, int Skipped);

/// <summary>Tells a gradient that would wreck the weights from one that is only large: 20 times the running median, or not a number.</summary>
internal sealed class SpikeGuard
{
    private const int Remembered = 65;
    private const int Needed = 16;
    private const double Factor = 20;
    private const int InARow = 3;

    private readonly Queue<double> _norms;
    private int _bad;

    public SpikeGuard(SpikeMemory? memory = null)
    {
        _norms = new Queue<double>(memory?.Norms ?? []);
        (_bad, Skipped) = (memory?.Bad ?? 0, memory?.Skipped ?? 0);
    }

    /// <summary>Steps skipped so far.</summary>
    public int Skipped { get; private set; }

    public SpikeMemory Memory => new([.. _norms], _bad, Skipped);

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
