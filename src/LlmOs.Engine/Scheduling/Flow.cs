namespace LlmOs.Engine.Scheduling;

/// <summary>The work of one caller in one loop. For the loop's thread.</summary>
internal sealed class Flow(EngineCaller caller, double promptPass, long lastAdmitted)
{
    public EngineCaller Caller { get; } = caller;

    /// <summary>Groups without slots that may have some, the next one first.</summary>
    public LinkedList<SequenceGroup> Waiting { get; } = new();

    /// <summary>Slots that its groups have.</summary>
    public int Held { get; set; }

    /// <summary>Groups of it that have not ended.</summary>
    public int Groups { get; set; }

    /// <summary>Prompt tokens run for it, by weight: of those with a prompt the flow that is least far on has the next chunk.</summary>
    public double PromptPass { get; set; } = promptPass;

    /// <summary>Rises with every admission: of flows that hold as little, the one that waited longest comes first.</summary>
    public long LastAdmitted { get; set; } = lastAdmitted;

    /// <summary>Chunks run for it: its own prompts take turns by it.</summary>
    public long Turn { get; set; }

    public FlowView View => new(Held, Caller.Weight, PromptPass, Turn, LastAdmitted);
}

/// <summary>A flow as decisions see it.</summary>
/// <param name="Held">Slots that its groups have.</param>
/// <param name="Weight">Parts that it gets of what there is to share.</param>
/// <param name="PromptPass">Prompt tokens run for it, by weight.</param>
/// <param name="Turn">Chunks run for it.</param>
/// <param name="LastAdmitted">Rises with every admission.</param>
internal readonly record struct FlowView(int Held, int Weight, double PromptPass, long Turn, long LastAdmitted)
{
    /// <summary>Slots by weight once it had so many more.</summary>
    public double ShareWith(int more) => (double)(Held + more) / Weight;
}
