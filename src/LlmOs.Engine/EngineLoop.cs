using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>The loop of a decoder: plans a step, runs it, as long as there is work, and sleeps otherwise.</summary>
/// <remarks>A step that throws ends the groups in it.</remarks>
internal sealed class EngineLoop : WorkLoop<SequenceGroup>
{
    private readonly IModelRunner _runner;
    private readonly SlotCache _cache;
    private readonly Scheduler _scheduler;
    private readonly StepRunner _steps;
    private Gauges _gauges = new(0, 0, 0, 0);

    /// <param name="runner">Disposed of by the loop, as is the cache.</param>
    public EngineLoop(IModelRunner runner, SlotCache cache, int vocabulary, EngineOptions options, string name)
        : base(options)
    {
        _runner = runner;
        _cache = cache;
        _scheduler = new Scheduler(cache.Slots, options.PrefillChunk);
        _steps = new StepRunner(runner, cache, _scheduler, vocabulary, End);
        Start(name);
    }

    public EngineSnapshot Snapshot()
    {
        var gauges = Volatile.Read(ref _gauges);
        return new EngineSnapshot(
            gauges.Running,
            gauges.Prefilling,
            gauges.Paused,
            Math.Max(0, Alive - gauges.SlotsInUse),
            gauges.SlotsInUse,
            _cache.Slots,
            _steps.PromptTokens,
            _steps.CachedTokens,
            _steps.GeneratedTokens,
            _steps.Steps);
    }

    protected override void Accept(SequenceGroup work) => _scheduler.Add(work);

    protected override void Remove(SequenceGroup work, Exception? fault) =>
        _scheduler.Remove(work, contentsAreSound: fault is not EngineStepException);

    protected override IReadOnlyList<SequenceGroup> All() => _scheduler.All();

    protected override bool Step()
    {
        _scheduler.ResumeReaders();
        var plan = StepPlanner.Plan(_scheduler.Snapshot());
        if (!plan.IsEmpty)
        {
            _steps.Run(plan);
        }

        Publish();
        return !plan.IsEmpty;
    }

    protected override void Release()
    {
        _runner.Dispose();
        _cache.Dispose();
        Volatile.Write(ref _gauges, new Gauges(0, 0, 0, 0));
    }

    private void Publish()
    {
        var (running, prefilling, paused, used) =
            (_scheduler.Count(SequenceState.Running), _scheduler.Count(SequenceState.Prefill), _scheduler.Count(SequenceState.Paused), _scheduler.SlotsInUse);
        if (_gauges.Running != running || _gauges.Prefilling != prefilling || _gauges.Paused != paused || _gauges.SlotsInUse != used)
        {
            Volatile.Write(ref _gauges, new Gauges(running, prefilling, paused, used));
        }
    }

    private sealed record Gauges(int Running, int Prefilling, int Paused, int SlotsInUse);
}
