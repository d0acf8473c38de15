using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Engine.Execution;

/// <summary>Gives up a run of the runtime that takes too long. For one run at a time.</summary>
internal sealed class StepWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeSpan _limit;
    private readonly ITimer _timer;
    private bool _running;
    private bool _fired;

    public StepWatch(EngineOptions options, TimeProvider clock)
    {
        _limit = TimeSpan.FromSeconds(options.MaxStepSeconds);
        _timer = clock.CreateTimer(_ => Fire(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>For the run that is watched.</summary>
    public RunOptions Options { get; } = new();

    public void Begin()
    {
        lock (_gate)
        {
            (_running, _fired) = (true, false);
            _timer.Change(_limit, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>To be called whether the run went well or threw.</summary>
    /// <exception cref="EngineStepException">The run took too long.</exception>
    public void End()
    {
        lock (_gate)
        {
            _running = false;
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            if (_fired)
            {
                Options.Terminate = false;
                throw new EngineStepException($"The step took longer than {_limit.TotalSeconds} s and was given up. Where the model is that slow on this machine, raise Engine:MaxStepSeconds.");
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _running = false;
            _timer.Dispose();
        }

        Options.Dispose();
    }

    private void Fire()
    {
        lock (_gate)
        {
            if (_running)
            {
                _fired = true;
                Options.Terminate = true;
            }
        }
    }
}
