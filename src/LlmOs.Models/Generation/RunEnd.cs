namespace LlmOs.Models.Generation;

/// <summary>Ends a run once: stops it, gives the model back, records what it cost.</summary>
/// <param name="stop">Stops the run and counts it.</param>
/// <param name="held">The model's lease; null where the run has the model for itself.</param>
internal sealed class RunEnd(Func<Task<GenerationUsage>> stop, Func<GenerationUsage, Task> record, IDisposable? held)
{
    private readonly Lock _gate = new();
    private Task<GenerationUsage>? _task;

    /// <summary>The end, which begins when it is first asked for.</summary>
    public Task<GenerationUsage> Task
    {
        get
        {
            lock (_gate)
            {
                return _task ??= EndAsync();
            }
        }
    }

    private async Task<GenerationUsage> EndAsync()
    {
        GenerationUsage usage;
        try
        {
            usage = await stop().ConfigureAwait(false);
        }
        finally
        {
            held?.Dispose();
        }

        await record(usage).ConfigureAwait(false);
        return usage;
    }
}
