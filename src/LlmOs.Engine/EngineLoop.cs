using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine;

/// <summary>The loop of a decoder: plans a step, runs it, as long as there is work, and sleeps otherwise.</summary>
/// <remarks>
/// A step that throws ends the groups in it, and the runtime is opened anew. What is thrown outside of a step ends every group
/// that has slots. Groups that wait notice neither, but for the time it takes.
/// </remarks>
internal sealed class EngineLoop : WorkLoop<SequenceGroup>
{
    /// <summary>Faults without a step that went well in between, after which the engine gives up.</summary>
    private const int MaxFaults = 3;

    /// <summary>A runtime that was opened anew so recently is not opened anew for one more failed step: a request may be to blame.</summary>
    private static readonly TimeSpan RebuildEvery = TimeSpan.FromMinutes(1);

    private readonly Func<IModelRunner> _open;
    private readonly SlotCache _cache;
    private readonly Sampler _sampler;
    private readonly StepCounters _counters = new();
    private readonly IEngineObserver _observer;
    private readonly TimeProvider _clock;
    private readonly int _chunk;
    private IModelRunner _runner;
    private Scheduler _scheduler;
    private StepRunner _steps;
    private Gauges _gauges = new(0, 0, 0, 0);
    private long _tokensInUse;
    private long _tokensHeld;
    private int _faults;
    private long? _rebuilt;

    /// <param name="runner">Disposed of by the loop, as is the cache.</param>
    /// <param name="open">Opens a runner over the same cache, after the old one was disposed of.</param>
    public EngineLoop(IModelRunner runner, Func<IModelRunner> open, SlotCache cache, int vocabulary, EngineOptions options, string name, IEngineObserver observer, TimeProvider clock)
        : base(options, observer, clock)
    {
        (_runner, _open, _cache, _observer, _clock, _chunk) = (runner, open, cache, observer, clock, options.PrefillChunk);
        _sampler = new Sampler(vocabulary);
        _scheduler = new Scheduler(cache.Slots, _chunk);
        _steps = NewSteps();
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
            _counters.PromptTokens,
            _counters.CachedTokens,
            _counters.GeneratedTokens,
            _counters.Preempted,
            _counters.Steps)
        {
            KvTokens = Volatile.Read(ref _tokensInUse),
            KvTokensHeld = Volatile.Read(ref _tokensHeld),
            KvCapacity = (long)_cache.Slots * _cache.Capacity,
        };
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
            var (before, preempted) = (Alive, _counters.Preempted);
            if (_steps.Run(plan) is { } failed)
            {
                OnFailedStep(failed, before - Alive);
            }
            else
            {
                _faults = 0;
            }

            Tell(plan, (int)(_counters.Preempted - preempted));
        }

        Publish();
        GiveBack();
        return !plan.IsEmpty;
    }

    protected override bool TryRecover(Exception fault)
    {
        // The books may be what is wrong: those who wait are taken into new ones.
        var working = _scheduler.WithSlots();
        foreach (var group in working)
        {
            End(group, EngineStepException.From(fault));
        }

        _observer.Failed(fault, working.Count);
        if (++_faults > MaxFaults)
        {
            return false;
        }

        var old = _scheduler;
        _scheduler = new Scheduler(_cache.Slots, _chunk);
        _scheduler.Adopt(old);
        Rebuild();
        Publish();
        return true;
    }

    protected override void NoteClosed(Exception fault) => _observer.Closed(fault);

    protected override void Release()
    {
        _runner.Dispose();
        _cache.Dispose();
        Volatile.Write(ref _gauges, new Gauges(0, 0, 0, 0));
        Volatile.Write(ref _tokensInUse, 0);
        Volatile.Write(ref _tokensHeld, 0);
    }

    private void OnFailedStep(Exception fault, int ended)
    {
        _observer.Failed(fault, ended);
        _faults++;
        if (_faults > 1 || _rebuilt is not { } last || _clock.GetElapsedTime(last) > RebuildEvery)
        {
            Rebuild();
        }
    }

    private void Tell(in StepPlan plan, int preempted)
    {
        var prompt = plan.Prefill?.Count ?? 0;
        _observer.Stepped(plan.DecodeRows + (prompt > 0 ? 1 : 0), plan.DecodeRows + prompt);
        if (preempted > 0)
        {
            _observer.Preempted(preempted);
        }
    }

    /// <summary>Opens the runtime anew. Keys and values stay where they are, so those who were not in the failed step go on.</summary>
    private void Rebuild()
    {
        var began = _clock.GetTimestamp();
        _runner.Dispose();
        _runner = _open();
        _steps = NewSteps();
        _rebuilt = _clock.GetTimestamp();
        _observer.Rebuilt(_clock.GetElapsedTime(began));
    }

    /// <summary>Gives back the memory of slots that were left, but for the beginnings that later prompts may share.</summary>
    private void GiveBack()
    {
        for (var slot = 0; slot < _cache.Slots; slot++)
        {
            if (_scheduler.KeptIn(slot) is { } kept)
            {
                _cache.GiveBack(slot, kept);
            }
        }

        Volatile.Write(ref _tokensHeld, _cache.PreparedTokens);
    }

    private StepRunner NewSteps() => new(_runner, _cache, _scheduler, _sampler, _counters, End);

    private void Publish()
    {
        Volatile.Write(ref _tokensInUse, _scheduler.TokensInUse);
        var (running, prefilling, paused, used) = (
            _scheduler.Count(SequenceState.Running),
            _scheduler.Count(SequenceState.Prefill),
            _scheduler.Count(SequenceState.Paused) + _scheduler.Stalled,
            _scheduler.SlotsInUse);
        if (_gauges.Running != running || _gauges.Prefilling != prefilling || _gauges.Paused != paused || _gauges.SlotsInUse != used)
        {
            Volatile.Write(ref _gauges, new Gauges(running, prefilling, paused, used));
        }
    }

    private sealed record Gauges(int Running, int Prefilling, int Paused, int SlotsInUse);
}
