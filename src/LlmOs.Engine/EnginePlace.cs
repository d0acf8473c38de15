namespace LlmOs.Engine;

/// <summary>
/// A request's place in an engine. There is a bounded number of places; what is submitted with one is never refused for want of
/// room, however many prompts the request has. To be given back with the request.
/// </summary>
public sealed class EnginePlace : IDisposable
{
    private Action? _leave;

    internal EnginePlace(EngineCaller caller, Action leave) => (Caller, _leave) = (caller, leave);

    public EngineCaller Caller { get; }

    public void Dispose() => Interlocked.Exchange(ref _leave, null)?.Invoke();
}

/// <summary>The bounded number of requests that may be in an engine, of one caller and of all. Safe on any thread.</summary>
internal sealed class EnginePlaces(EngineOptions options, TimeProvider clock)
{
    private const double Memory = 0.9;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _ofProject = new(StringComparer.Ordinal);
    private readonly int _max = options.Slots + options.MaxQueued;
    private readonly int _maxOfCaller = options.Slots + options.MaxQueuedPerCaller;
    private int _taken;
    private long _lastLeft = clock.GetTimestamp();
    private double _secondsBetween; // from one that left to the next, smoothed

    /// <summary>Requests that are in the engine.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <exception cref="EngineBusyException">There are as many as may be.</exception>
    public EnginePlace Enter(EngineCaller caller)
    {
        lock (_gate)
        {
            var own = _ofProject.GetValueOrDefault(caller.Project);
            if (_taken >= _max || own >= _maxOfCaller)
            {
                throw new EngineBusyException(_taken, own, ofCaller: _taken < _max, TimeSpan.FromSeconds(Math.Clamp(Math.Ceiling(_secondsBetween), 1, 60)));
            }

            _taken++;
            _ofProject[caller.Project] = own + 1;
        }

        return new EnginePlace(caller, () => Leave(caller));
    }

    private void Leave(EngineCaller caller)
    {
        lock (_gate)
        {
            _taken--;
            if (--_ofProject[caller.Project] == 0)
            {
                _ofProject.Remove(caller.Project);
            }

            _secondsBetween = (Memory * _secondsBetween) + ((1 - Memory) * clock.GetElapsedTime(_lastLeft).TotalSeconds);
            _lastLeft = clock.GetTimestamp();
        }
    }
}
