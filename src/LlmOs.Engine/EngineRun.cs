namespace LlmOs.Engine;

/// <summary>Something that an engine was asked to do: what it cost so far, and a way to stop it. Safe on any thread.</summary>
public abstract class EngineRun
{
    private Action? _cancel;
    private IDisposable? _place;
    private readonly TaskCompletionSource<EngineUsage> _final = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _cancelled;
    private volatile bool _isDone;
    private volatile bool _ended;

    private protected EngineRun(TimeProvider clock) => Meter = new UsageMeter(clock);

    /// <summary>What the run cost so far; the same for ever once it has ended.</summary>
    public EngineUsage Usage => Meter.Read();

    /// <summary>
    /// What the run cost in the end. Completes when the loop has let go of it: finished, failed, cancelled, or closed with its
    /// engine. Never fails.
    /// </summary>
    public Task<EngineUsage> FinalUsage => _final.Task;

    internal UsageMeter Meter { get; }

    /// <summary>Whether it ended with as many tokens as it might have.</summary>
    private protected virtual bool HasAllTokens => false;

    /// <summary>Stops the run within one step, because its caller has all that was wanted: it counts as done, not as left.</summary>
    public void Finish()
    {
        _isDone = true;
        Cancel();
    }

    /// <summary>Stops the run within one step. Does nothing once it has ended.</summary>
    public void Cancel()
    {
        if (!_ended && Interlocked.Exchange(ref _cancelled, 1) == 0)
        {
            _cancel?.Invoke();
        }
    }

    /// <summary>The loop that takes the run says how to stop it, before anybody else has it.</summary>
    internal void CancelBy(Action cancel) => _cancel = cancel;

    /// <summary>What the run holds of the engine's room, if it came without a request's place.</summary>
    internal void GiveBackAtEnd(IDisposable? place) => _place = place;

    /// <summary>The loop lets go of the run.</summary>
    /// <param name="fault">Why it ended early; null when it is done.</param>
    internal void End(Exception? fault)
    {
        // The figures are final, and there is room, before anybody can learn of the end, who may submit the next at once.
        _ended = true;
        Meter.NoteEnded(OutcomeOf(fault));
        _place?.Dispose();
        Tell(fault);
        _final.TrySetResult(Meter.Read());
    }

    private protected abstract void Tell(Exception? fault);

    private RunOutcome OutcomeOf(Exception? fault) => fault switch
    {
        null => HasAllTokens ? RunOutcome.Length : RunOutcome.Stop,
        OperationCanceledException => _isDone ? RunOutcome.Stop : RunOutcome.Abort,
        _ => RunOutcome.Error,
    };
}

/// <summary>A run that gives one result, whole.</summary>
public sealed class EngineRun<T> : EngineRun
{
    // Continuations of the caller must not run on the loop's thread.
    private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<T> _result;

    /// <param name="result">Called when the run is done.</param>
    internal EngineRun(Func<T> result, TimeProvider clock)
        : base(clock) => _result = result;

    /// <summary>Ends with the run; canceled when it was.</summary>
    /// <exception cref="EngineStepException">The model failed in a step of this run.</exception>
    /// <exception cref="EngineClosedException">The engine was closed meanwhile.</exception>
    public Task<T> Result => _done.Task;

    private protected override void Tell(Exception? fault)
    {
        switch (fault)
        {
            case null:
                _done.TrySetResult(_result());
                break;
            case OperationCanceledException:
                _done.TrySetCanceled();
                break;
            default:
                _done.TrySetException(fault);
                break;
        }
    }

    /// <summary>The result, for a caller who may give up.</summary>
    internal async Task<T> UntilAsync(CancellationToken cancel)
    {
        await using var registration = cancel.Register(Cancel).ConfigureAwait(false);
        return await _done.Task.ConfigureAwait(false);
    }
}
