namespace LlmOs.Infrastructure.Jobs;

/// <summary>Tells the waiters of this process that some job changed. Other hosts' changes are found by looking now and then.</summary>
public sealed class JobSignal
{
    private readonly Lock _gate = new();
    private TaskCompletionSource _next = Make();

    public void Raise()
    {
        TaskCompletionSource raised;
        lock (_gate)
        {
            (raised, _next) = (_next, Make());
        }

        raised.SetResult();
    }

    /// <summary>Ends at the next <see cref="Raise"/>. Take it before looking at the database, or a change may be missed.</summary>
    public Task Next
    {
        get
        {
            lock (_gate)
            {
                return _next.Task;
            }
        }
    }

    /// <summary>Waits for a change, but no longer than <paramref name="max"/>.</summary>
    public static async Task WaitAsync(Task next, TimeSpan max, TimeProvider clock, CancellationToken cancel)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAny(next, Task.Delay(max, clock, linked.Token));
        await linked.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    private static TaskCompletionSource Make() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
