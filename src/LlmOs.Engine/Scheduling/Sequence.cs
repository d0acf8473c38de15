using LlmOs.Engine.Cache;

namespace LlmOs.Engine.Scheduling;

/// <summary>Where a sequence stands.</summary>
internal enum SequenceState
{
    /// <summary>Has no slot.</summary>
    Waiting,

    /// <summary>Its prompt is being run, a chunk at a time.</summary>
    Prefill,

    /// <summary>Takes part in every decode step.</summary>
    Running,

    /// <summary>Keeps its slot but waits for its reader.</summary>
    Paused,

    /// <summary>Keeps a slot and waits for its group's first member, which runs the prompt.</summary>
    Reserved,

    /// <summary>Has no slot any more.</summary>
    Ended,
}

/// <summary>One text as the loop's thread sees it; no other thread touches it.</summary>
internal sealed class Sequence(SequenceGroup group)
{
    public SequenceGroup Group { get; } = group;

    public SequenceState State { get; set; }

    /// <summary>Slot in the cache, or -1.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>Tokens whose keys and values are in the slot.</summary>
    public int Past { get; set; }

    /// <summary>The token that the next decode step runs.</summary>
    public int LastToken { get; set; }

    /// <summary>What was in its slot when it gave it up; null otherwise.</summary>
    public SavedSlot? Saved { get; set; }
}
