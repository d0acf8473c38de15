namespace LlmOs.Engine.Scheduling;

/// <summary>How a member goes on: which member's text it continues, and with which token.</summary>
internal readonly record struct Continuation(int Parent, int Token);

/// <summary>
/// What was submitted: sequences that share a prompt, take their slots together and end together. One for a reply, one for each
/// beam of a search. For the loop's thread.
/// </summary>
internal sealed class SequenceGroup : IWork
{
    private int _rowsIn;

    /// <param name="tokens">The prompt.</param>
    /// <param name="source">What the encoder reads before the prompt is run; empty for a decoder.</param>
    public SequenceGroup(int[] tokens, int[] source, SequenceKind kind, EngineCaller caller)
    {
        (Tokens, Source, Kind, Caller) = (tokens, source, kind, caller);
        Members = new Sequence[kind.Width];
        for (var member = 0; member < Members.Length; member++)
        {
            Members[member] = new Sequence(this);
        }

        Rows = new int[Members.Length];
        Next = new Continuation[Members.Length];
    }

    public int[] Tokens { get; }

    public int[] Source { get; }

    public EngineCaller Caller { get; }

    /// <summary>What is made of its logits.</summary>
    public SequenceKind Kind { get; }

    /// <summary>The first one runs the prompt for all.</summary>
    public Sequence[] Members { get; }

    public int Width => Members.Length;

    public EngineRun Run => Kind.Run;

    public bool HasEnded => Members[0].State == SequenceState.Ended;

    /// <summary>By member: the row of the last run that holds its logits.</summary>
    public int[] Rows { get; }

    /// <summary>By member: how it goes on, as the kind decided.</summary>
    public Continuation[] Next { get; }

    /// <summary>Prompt tokens that came from the cache.</summary>
    public int Cached { get; set; }

    /// <summary>Rises with every admission, so that the oldest can be told.</summary>
    public long Order { get; set; }

    /// <summary>The step at which it got its slots, or began to wait for them.</summary>
    public long Since { get; set; }

    /// <summary>The step until which it keeps its slots whatever others wait for.</summary>
    public long ProtectedUntil { get; set; }

    /// <summary>The state that it goes on in when it gets slots again; null when it has not given any up.</summary>
    public SequenceState? Resumes { get; set; }

    /// <summary>Where it waits; null while it has slots.</summary>
    public LinkedListNode<SequenceGroup>? Place { get; set; }

    /// <summary>Whether its prompt's keys and values may serve others: with a source they depend on more than the prompt.</summary>
    public bool SharesPrefix => Source.Length == 0;

    /// <summary>The first of the prompt's tokens whose logits are wanted; no later than the last one.</summary>
    public int RowsFrom => Math.Min(Kind.RowsFrom, Tokens.Length - 1);

    /// <summary>Tokens read so far. The start token of an encoder-decoder's text is nobody's: it does not count.</summary>
    public int TokensRead => Source.Length == 0 ? Members[0].Past : Source.Length + Members[0].Past - 1;

    /// <summary>Notes where a member's logits are.</summary>
    /// <returns>Whether those of all members are there.</returns>
    public bool NoteRow(Sequence member, int row)
    {
        Rows[Array.IndexOf(Members, member)] = row;
        _rowsIn = (_rowsIn + 1) % Members.Length;
        return _rowsIn == 0;
    }

    /// <summary>
    /// Lets the members decode as <see cref="Next"/> says. A text that one member continues stays in its sequence; a text that
    /// several continue is copied into the slots of those that nobody continues.
    /// </summary>
    public void Fork(List<SlotCopy> copies)
    {
        if (Members.Length > 1)
        {
            Reorder(copies);
        }

        for (var member = 0; member < Members.Length; member++)
        {
            (Members[member].LastToken, Members[member].State) = (Next[member].Token, SequenceState.Running);
        }
    }

    /// <summary>Takes the members out of the decode steps until their reader catches up; they keep their slots.</summary>
    public void Pause()
    {
        SetState(SequenceState.Paused);
        Kind.SetPaused(true);
    }

    public void Resume()
    {
        SetState(SequenceState.Running);
        Kind.SetPaused(false);
    }

    private void SetState(SequenceState state)
    {
        foreach (var member in Members)
        {
            member.State = state;
        }
    }

    private void Reorder(List<SlotCopy> copies)
    {
        var ordered = new Sequence?[Members.Length];
        var kept = new bool[Members.Length];
        for (var member = 0; member < ordered.Length; member++)
        {
            var parent = Next[member].Parent;
            if (!kept[parent])
            {
                kept[parent] = true;
                ordered[member] = Members[parent];
            }
        }

        // What is copied from is kept, so no copy overwrites what another still needs.
        var free = new Queue<Sequence>(Members.Where((_, member) => !kept[member]));
        for (var member = 0; member < ordered.Length; member++)
        {
            if (ordered[member] is null)
            {
                var (from, to) = (Members[Next[member].Parent], free.Dequeue());
                // Up to the prompt's end all hold the same, once they hold anything.
                copies.Add(new SlotCopy(from.Slot, to.Slot, to.State == SequenceState.Reserved ? 0 : Tokens.Length, from.Past));
                to.Past = from.Past;
                ordered[member] = to;
            }
        }

        ordered.CopyTo(Members, 0);
    }
}
