using LlmOs.Engine;

namespace LlmOs.Models.Generation;

/// <summary>What the engine does for one request: counts it, and stops it.</summary>
internal sealed class RunMeter : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<(int Prompt, bool Scores, EngineRun Run)> _runs = [];
    private readonly CancellationTokenSource _ending = new();
    private bool _ended;

    public RunMeter() => Ending = _ending.Token;

    /// <summary>Cancelled when the request ends.</summary>
    public CancellationToken Ending { get; }

    /// <summary>Whether the engine was asked for nothing.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _runs.Count == 0;
            }
        }
    }

    /// <summary>Takes a run into the account. One that comes after the end is stopped at once.</summary>
    /// <param name="scores">The prompt is read for its own log-probabilities, beside the texts that are made of it.</param>
    public T Add<T>(int prompt, T run, bool scores = false)
        where T : EngineRun
    {
        bool isLate;
        lock (_gate)
        {
            isLate = _ended;
            _runs.Add((prompt, scores, run));
        }

        if (isLate)
        {
            run.Cancel();
        }

        return run;
    }

    public void Dispose() => _ending.Dispose();

    /// <summary>Stops what still runs and waits until the engine has let go of all.</summary>
    public async Task<EngineUsage> EndAsync()
    {
        List<(int Prompt, bool Scores, EngineRun Run)> runs;
        lock (_gate)
        {
            _ended = true;
            runs = [.. _runs];
        }

        await _ending.CancelAsync().ConfigureAwait(false);

        foreach (var (_, _, run) in runs)
        {
            run.Cancel();
        }

        await Task.WhenAll(runs.Select(r => r.Run.FinalUsage)).ConfigureAwait(false);
        return Sum(runs.ConvertAll(r => (r.Prompt, r.Scores, r.Run.Usage)));
    }

    /// <summary>A prompt counts once, as its first text found it; of times that pass together the longest counts.</summary>
    public static EngineUsage Sum(IReadOnlyList<(int Prompt, bool Scores, EngineUsage Usage)> runs)
    {
        if (runs.Count == 0)
        {
            return EngineUsage.None;
        }

        var prompts = runs.GroupBy(r => r.Prompt).ToList();
        return new EngineUsage(
            prompts.Sum(p => p.Max(r => r.Usage.PromptTokens)),
            prompts.Sum(p => p.OrderBy(r => r.Scores).First().Usage.CachedTokens),
            runs.Sum(r => r.Usage.GeneratedTokens),
            runs.Max(r => r.Usage.QueueTime),
            runs.Max(r => r.Usage.PromptTime),
            runs.Max(r => r.Usage.DecodeTime));
    }
}
