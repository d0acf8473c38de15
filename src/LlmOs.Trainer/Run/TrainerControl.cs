namespace LlmOs.Trainer.Run;

/// <summary>What was asked of a running trainer. Safe on any thread.</summary>
internal sealed class TrainerControl : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private int _checkpoint;
    private volatile bool _pause;

    /// <summary>Fires when the training should end at its next step.</summary>
    public CancellationToken Stopping => _stop.Token;

    /// <summary>Whether it should leave a checkpoint behind when it ends.</summary>
    public bool IsPause => _pause;

    /// <summary>Ends the training; somebody wants it to go on later.</summary>
    public void Pause()
    {
        _pause = true;
        _stop.Cancel();
    }

    /// <summary>Ends the training; nobody wants the rest of it.</summary>
    public void Cancel()
    {
        _pause = false;
        _stop.Cancel();
    }

    /// <summary>Asks for a checkpoint at the next step; the training goes on.</summary>
    public void AskForCheckpoint() => Interlocked.Exchange(ref _checkpoint, 1);

    /// <summary>Whether a checkpoint was asked for since the last call.</summary>
    public bool TakeCheckpoint() => Interlocked.Exchange(ref _checkpoint, 0) == 1;

    public void Dispose() => _stop.Dispose();
}
