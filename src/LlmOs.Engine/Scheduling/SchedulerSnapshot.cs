namespace LlmOs.Engine.Scheduling;

/// <summary>A slot as decisions see it.</summary>
/// <param name="State">Its owner's; null when it is free.</param>
/// <param name="Past">Tokens of its owner that are in it.</param>
/// <param name="Kept">Prompt tokens that it is known to hold from its beginning, in whole chunks; they stay when the owner leaves.</param>
/// <param name="LastUse">Rises with every slot that is given back: the lowest was left longest ago.</param>
/// <param name="Prompt">The owner's prompt, while it is being run.</param>
/// <param name="Order">Rises with every admission.</param>
/// <param name="TakesPrefix">Whether the owner's prompt may begin with what another slot holds.</param>
/// <param name="WantsEveryRow">Whether the logits of each of the prompt's tokens are wanted.</param>
internal readonly record struct SlotView(
    SequenceState? State,
    int Past,
    ReadOnlyMemory<int> Kept,
    long LastUse,
    ReadOnlyMemory<int> Prompt,
    long Order,
    bool TakesPrefix,
    bool WantsEveryRow)
{
    public bool IsFree => State is null;

    /// <summary>Tokens that must survive when the slot's contents move.</summary>
    public int Worth => IsFree ? Kept.Length : Past;
}

/// <summary>A group that has no slots yet, as decisions see it.</summary>
/// <param name="Width">Slots that it takes at once.</param>
internal readonly record struct WaitingView(ReadOnlyMemory<int> Prompt, int Width, bool TakesPrefix, bool WantsEveryRow);

/// <summary>All that the choice of the next step may look at.</summary>
internal readonly ref struct SchedulerSnapshot
{
    public required ReadOnlySpan<SlotView> Slots { get; init; }

    /// <summary>Oldest first; as many as there are slots will do.</summary>
    public required ReadOnlySpan<WaitingView> Waiting { get; init; }

    /// <summary>Copies that the forks of the last step ask for.</summary>
    public ReadOnlySpan<SlotCopy> Forks { get; init; }

    /// <summary>The next admission's <see cref="SlotView.Order"/>.</summary>
    public long NextOrder { get; init; }

    /// <summary>Chunks run so far: prompts take turns by it.</summary>
    public long Turn { get; init; }

    /// <summary>Maximum prompt tokens of a step.</summary>
    public required int Chunk { get; init; }
}
