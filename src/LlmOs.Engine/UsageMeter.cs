namespace LlmOs.Engine;

/// <summary>Counts one run. The loop's thread writes, any thread reads; a reading never mixes two moments.</summary>
internal sealed class UsageMeter(TimeProvider clock)
{
    private const long NotYet = long.MinValue;

    private readonly Lock _gate = new();
    private readonly long _submitted = clock.GetTimestamp();
    private long _started = NotYet;
    private long _first = NotYet;
    private long _last = NotYet;
    private long _ended = NotYet;
    private IEngineObserver _observer = IEngineObserver.None;
    private int _promptTokens;
    private int _cachedTokens;
    private int _generatedTokens;

    /// <summary>Tells an observer from here on.</summary>
    public void Watch(IEngineObserver observer) => _observer = observer;

    /// <summary>Notes that the run left the queue.</summary>
    public void NoteStarted()
    {
        lock (_gate)
        {
            _started = clock.GetTimestamp();
        }
    }

    /// <summary>Notes how much of the prompt has been read by now.</summary>
    public void NotePrompt(int tokens, int cached)
    {
        lock (_gate)
        {
            (_promptTokens, _cachedTokens) = (tokens, cached);
        }
    }

    /// <summary>The prompt has been read to its end.</summary>
    public void NotePromptRead() => _observer.PromptRead(_promptTokens, _cachedTokens);

    /// <summary>Counts new tokens.</summary>
    public void NoteMade(int tokens)
    {
        bool isFirst;
        TimeSpan since;
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            isFirst = _first == NotYet;
            since = clock.GetElapsedTime(isFirst ? _submitted : _last, now);
            _last = now;
            _first = isFirst ? now : _first;
            _generatedTokens += tokens;
        }

        if (isFirst)
        {
            _observer.FirstToken(tokens, since);
        }
        else
        {
            _observer.NextToken(tokens, since);
        }
    }

    /// <summary>From here no figure changes any more.</summary>
    public void NoteEnded(RunOutcome outcome)
    {
        lock (_gate)
        {
            _ended = clock.GetTimestamp();
        }

        _observer.Ended(Read(), outcome);
    }

    public EngineUsage Read()
    {
        lock (_gate)
        {
            var now = _ended == NotYet ? clock.GetTimestamp() : _ended;
            return new EngineUsage(
                _promptTokens,
                _cachedTokens,
                _generatedTokens,
                clock.GetElapsedTime(_submitted, _started == NotYet ? now : _started),
                _started == NotYet ? TimeSpan.Zero : clock.GetElapsedTime(_started, _first == NotYet ? now : _first),
                _first == NotYet ? TimeSpan.Zero : clock.GetElapsedTime(_first, _last));
        }
    }
}
