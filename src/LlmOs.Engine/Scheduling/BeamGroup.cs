using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling;

/// <summary>The sequences of one beam search. They take their slots together, share the first one's prompt, and end together.</summary>
internal sealed class BeamGroup
{
    private const long NotYet = long.MinValue;

    private readonly TimeProvider _clock;
    private readonly long _submitted;
    private long _started = NotYet;
    private long _prompted = NotYet;
    private int _cached;
    private int _alive;

    public BeamGroup(GenerationRequest request, int maxNew, int vocabulary, TimeProvider clock)
    {
        (_clock, _submitted) = (clock, clock.GetTimestamp());
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

    // Continuations of the caller must not run on the loop's thread.
    public TaskCompletionSource<BeamResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void NoteStarted() => _started = _clock.GetTimestamp();

    /// <param name="cached">Prompt tokens that came from the cache.</param>
    public void NotePrompted(int cached) => (_prompted, _cached) = (_clock.GetTimestamp(), cached);

    /// <summary>Notes that a member has left the engine. The last one tells the caller.</summary>
    public void NoteEnded(Exception? fault)
    {
        if (--_alive > 0)
        {
            return;
        }

        switch (fault)
        {
            case null:
                Done.TrySetResult(new BeamResult(Search.Texts(), new GenerationTimings(
                    _clock.GetElapsedTime(_submitted, _started), _clock.GetElapsedTime(_started, _prompted), _clock.GetElapsedTime(_prompted), _cached)));
                break;
            case OperationCanceledException:
                Done.TrySetCanceled();
                break;
            default:
                Done.TrySetException(fault);
                break;
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
}
