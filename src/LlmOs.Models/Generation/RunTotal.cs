using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>Adds up the engine's runs of one caller who asks again and again.</summary>
internal sealed class RunTotal
{
    private readonly Lock _gate = new();
    private readonly List<EngineRun> _running = [];
    private EngineUsage _sum = EngineUsage.None;

    /// <summary>Waits for a run's result. Whoever gives up stops it.</summary>
    public Task<T> RunAsync<T>(EngineRun<T> run, CancellationToken cancel) => CountAsync(run, () => run.Result, cancel);

    /// <summary>Reads all ids of a sequence.</summary>
    public Task<List<int>> ReadAsync(EngineSequence sequence, CancellationToken cancel) =>
        CountAsync(sequence, () => sequence.Pieces(cancel).Select(piece => piece.Token).ToListAsync(cancel).AsTask(), cancel);

    /// <summary>Stops what still runs and gives the sum of all.</summary>
    public async Task<EngineUsage> EndAsync()
    {
        EngineRun[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        foreach (var run in running)
        {
            run.Cancel();
            await TakeAsync(run).ConfigureAwait(false);
        }

        lock (_gate)
        {
            return _sum;
        }
    }

    private async Task<T> CountAsync<T>(EngineRun run, Func<Task<T>> result, CancellationToken cancel)
    {
        lock (_gate)
        {
            _running.Add(run);
        }

        await using var registration = cancel.Register(run.Cancel).ConfigureAwait(false);
        try
        {
            return await result().ConfigureAwait(false);
        }
        finally
        {
            await TakeAsync(run).ConfigureAwait(false);
        }
    }

    private async Task TakeAsync(EngineRun run)
    {
        var usage = await run.FinalUsage.ConfigureAwait(false);
        lock (_gate)
        {
            if (_running.Remove(run))
            {
                _sum = new EngineUsage(
                    _sum.PromptTokens + usage.PromptTokens,
                    _sum.CachedTokens + usage.CachedTokens,
                    _sum.GeneratedTokens + usage.GeneratedTokens,
                    _sum.QueueTime + usage.QueueTime,
                    _sum.PromptTime + usage.PromptTime,
                    _sum.DecodeTime + usage.DecodeTime);
            }
        }
    }
}
