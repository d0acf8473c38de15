using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling;

/// <summary>The sequences of one beam search. They take their slots together, share the first one's prompt, and end together.</summary>
internal sealed class BeamGroup
{
    private int _alive;

    /// <param name="cancel">Given the first member.</param>
    public BeamGroup(GenerationRequest request, int maxNew, int vocabulary, Action<Sequence> cancel, TimeProvider clock)
    {
        Run = new EngineRun<BeamResult>(Result, () => cancel(Members![0]), clock);
        Search = new BeamSearch(request, maxNew, vocabulary);
        Members = [.. Enumerable.Range(0, request.Beams!.Beams).Select(_ => Sequence.OfBeam(request, this, maxNew))];
        Rows = new int[Members.Length];
        _alive = Members.Length;
    }

    public BeamSearch Search { get; }

    /// <summary>By beam. The first one runs the prompt for all.</summary>
    public Sequence[] Members { get; }

    /// <summary>Rows of the current step that hold the members' logits, by beam.</summary>
    public int[] Rows { get; }

    public EngineRun<BeamResult> Run { get; }

    /// <summary>Notes that a member has left the engine. The last one tells the caller.</summary>
    public void NoteEnded(Exception? fault)
    {
        if (--_alive == 0)
        {
            Run.End(fault);
        }
    }

    /// <summary>
    /// Puts the members in the order of the next step's beams. A beam that goes on keeps its sequence; one that ended takes over
    /// another's text, which <paramref name="copy"/> (from, to) brings into its slot.
    /// </summary>
    public void Reorder(Action<Sequence, Sequence> copy)
    {
        var parents = Search.Parents;
        var next = new Sequence?[Members.Length];
        var kept = new bool[Members.Length];
        for (var beam = 0; beam < parents.Length; beam++)
        {
            if (!kept[parents[beam]])
            {
                kept[parents[beam]] = true;
                next[beam] = Members[parents[beam]];
            }
        }

        var free = new Queue<Sequence>(Members.Where((_, i) => !kept[i]));
        for (var beam = 0; beam < next.Length; beam++)
        {
            if (next[beam] is null)
            {
                next[beam] = free.Dequeue();
                copy(Members[parents[beam]], next[beam]!);
            }
        }

        for (var beam = 0; beam < next.Length; beam++)
        {
            Members[beam] = next[beam]!;
            Members[beam].LastToken = Search.Tokens[beam];
        }
    }

    private BeamResult Result()
    {
        var usage = Run.Usage;
        return new BeamResult(Search.Texts(), new GenerationTimings(usage.QueueTime, usage.PromptTime, usage.DecodeTime, usage.CachedTokens));
    }
}
