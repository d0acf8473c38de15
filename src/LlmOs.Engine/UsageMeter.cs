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
    private int _promptTokens;
    private int _cachedTokens;
    private int _generatedTokens;

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

    /// <summary>Counts new tokens.</summary>
    public void NoteMade(int tokens)
    {
        lock (_gate)
        {
            _last = clock.GetTimestamp();
            _first = _first == NotYet ? _last : _first;
            _generatedTokens += tokens;
        }
    }

    /// <summary>From here no figure changes any more.</summary>
    public void NoteEnded()
    {
        lock (_gate)
        {
            _ended = clock.GetTimestamp();
        }
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
