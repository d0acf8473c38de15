namespace LlmOs.Engine;

/// <summary>Plain counters of one engine; those that grow only ever grow.</summary>
/// <param name="Running">Sequences that decode, not counting those that wait for their reader.</param>
/// <param name="Prefilling">Sequences whose prompt is being run.</param>
/// <param name="Paused">Sequences that wait for their reader.</param>
/// <param name="Waiting">Sequences without a slot.</param>
/// <param name="SlotsInUse">Slots that belong to a sequence.</param>
/// <param name="Slots">Slots there are.</param>
/// <param name="PromptTokens">Prompt tokens run through the model.</param>
/// <param name="CachedTokens">Prompt tokens taken from the cache instead.</param>
/// <param name="GeneratedTokens">Tokens chosen.</param>
/// <param name="Preempted">Requests that gave their slots up for others, to go on later.</param>
/// <param name="Steps">Turns of the loop that ran the model.</param>
public sealed record EngineSnapshot(
    int Running,
    int Prefilling,
    int Paused,
    int Waiting,
    int SlotsInUse,
    int Slots,
    long PromptTokens,
    long CachedTokens,
    long GeneratedTokens,
    long Preempted,
    long Steps)
{
    /// <summary>Tokens whose keys and values belong to a sequence that has a slot.</summary>
    public long KvTokens { get; init; }

    /// <summary>Tokens whose memory the process has: those in use, rounded up to runs, and beginnings that are kept for later prompts.</summary>
    public long KvTokensHeld { get; init; }

    /// <summary>Tokens that all slots hold together.</summary>
    public long KvCapacity { get; init; }
}
