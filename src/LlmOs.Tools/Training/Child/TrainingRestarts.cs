namespace LlmOs.Tools.Training.Child;

/// <summary>
/// Decides whether a trainer that was killed is started again: always when it got further than the one before it, and at most
/// three times in a row when it did not. What ends a trainer at the same place each time is not cured by a fourth try.
/// </summary>
internal sealed class TrainingRestarts
{
    /// <summary>Restarts in a row without a new checkpoint.</summary>
    public const int Max = 3;

    private long _reached = -1;

    /// <summary>Restarts since there was a new checkpoint.</summary>
    public int InARow { get; private set; }

    /// <param name="checkpoint">The step of the newest checkpoint; 0 where there is none.</param>
    public bool MayStartAgain(long checkpoint)
    {
        InARow = checkpoint > _reached && _reached >= 0 ? 1 : InARow + 1;
        _reached = Math.Max(_reached, checkpoint);
        return InARow <= Max;
    }
}
