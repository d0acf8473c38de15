namespace LlmOs.Engine.Scheduling;

/// <summary>A slot as decisions see it.</summary>
/// <param name="State">Its owner's; null when it is free.</param>
/// <param name="Past">Tokens of its owner that are in it.</param>
/// <param name="Kept">Prompt tokens that it is known to hold from its beginning, in whole chunks; they stay when the owner leaves.</param>
/// <param name="LastUse">Rises with every slot that is given back: the lowest was left longest ago.</param>
/// <param name="Prompt">The owner's prompt, while it is being run.</param>
/// <param name="Order">Rises with every admission; the members of a group have the same.</param>
/// <param name="TakesPrefix">Whether the owner's prompt may begin with what another slot holds.</param>
/// <param name="RowsFrom">The first of the prompt's tokens whose logits are wanted; at most the last one.</param>
/// <param name="Project">Whose tokens it holds: nobody else's prompt may begin with them.</param>
internal readonly record struct SlotView(
    SequenceState? State,
    int Past,
    ReadOnlyMemory<int> Kept,
    long LastUse,
    ReadOnlyMemory<int> Prompt,
    long Order,
    bool TakesPrefix,
    int RowsFrom,
    string Project)
{
    public bool IsFree => State is null;

    /// <summary>The owner's flow, by index.</summary>
    public int Flow { get; init; }

    /// <summary>Slots that the owner's group has.</summary>
    public int Width { get; init; } = 1;

    /// <summary>Steps since the owner's group got its slots.</summary>
    public long Ran { get; init; }

    /// <summary>Whether the owner's group keeps its slots whatever others wait for.</summary>
    public bool IsProtected { get; init; }

    /// <summary>Tokens that must survive when the slot's contents move.</summary>
    public int Worth => IsFree ? Kept.Length : Past;

    /// <summary>The beginning of the owner's prompt that need not be run if it is there already.</summary>
    public PrefixWanted Prefix => TakesPrefix ? new PrefixWanted(Project, Prompt.Span[..RowsFrom]) : default;
}

/// <summary>A group that has no slots, as decisions see it.</summary>
/// <param name="Width">Slots that it takes at once.</param>
/// <param name="TakesPrefix">Whether its prompt may begin with what a slot holds.</param>
/// <param name="RowsFrom">The first of the prompt's tokens whose logits are wanted; at most the last one.</param>
/// <param name="Project">Whose prompt it is.</param>
internal readonly record struct WaitingView(ReadOnlyMemory<int> Prompt, int Width, bool TakesPrefix, int RowsFrom, string Project)
{
    /// <summary>Its flow, by index.</summary>
    public int Flow { get; init; }

    /// <summary>Steps that it has waited.</summary>
    public long Waited { get; init; }

    /// <summary>The state in which it gave its slots up; null when it has had none.</summary>
    public SequenceState? Resumes { get; init; }

    /// <summary>Tokens that its first member had then.</summary>
    public int Past { get; init; }

    /// <summary>The beginning of the prompt that need not be run if it is there already.</summary>
    public PrefixWanted Prefix => TakesPrefix && Resumes is null ? new PrefixWanted(Project, Prompt.Span[..RowsFrom]) : default;
}

/// <summary>All that the choice of the next step may look at.</summary>
internal readonly ref struct SchedulerSnapshot
{
    public required ReadOnlySpan<SlotView> Slots { get; init; }

    /// <summary>By flow; those of one flow the next one first. Each flow's first few will do.</summary>
    public required ReadOnlySpan<WaitingView> Waiting { get; init; }

    /// <summary>Every flow that has a slot or waits.</summary>
    public required ReadOnlySpan<FlowView> Flows { get; init; }

    /// <summary>Copies that the forks of the last step ask for.</summary>
    public ReadOnlySpan<SlotCopy> Forks { get; init; }

    /// <summary>The next admission's <see cref="SlotView.Order"/>.</summary>
    public long NextOrder { get; init; }

    /// <summary>Maximum prompt tokens of a step.</summary>
    public required int Chunk { get; init; }

    /// <summary>Steps after which a group that waits may have the slots of one that has run as long.</summary>
    public long Quantum { get; init; }
}
