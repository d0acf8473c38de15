namespace LlmOs.Engine;

/// <summary>What the steps of one engine did. The loop's thread writes, any thread reads.</summary>
internal sealed class StepCounters
{
    private long _steps;
    private long _promptTokens;
    private long _cachedTokens;
    private long _generatedTokens;
    private long _preempted;

    public long Steps => Volatile.Read(ref _steps);

    public long PromptTokens => Volatile.Read(ref _promptTokens);

    public long CachedTokens => Volatile.Read(ref _cachedTokens);

    public long GeneratedTokens => Volatile.Read(ref _generatedTokens);

    /// <summary>Groups that gave their slots up for others.</summary>
    public long Preempted => Volatile.Read(ref _preempted);

    public void NoteStep() => Volatile.Write(ref _steps, _steps + 1);

    public void NotePrompt(int tokens) => Volatile.Write(ref _promptTokens, _promptTokens + tokens);

    public void NoteCached(int tokens) => Volatile.Write(ref _cachedTokens, _cachedTokens + tokens);

    public void NoteGenerated(int tokens) => Volatile.Write(ref _generatedTokens, _generatedTokens + tokens);

    public void NotePreempted() => Volatile.Write(ref _preempted, _preempted + 1);
}
