using System.Runtime.InteropServices;

namespace LlmOs.Engine.Scheduling;

/// <summary>Knows every group and who is in which slot. What happens next is decided by <see cref="StepPlanner"/>; this keeps the books.</summary>
/// <remarks>For the loop's thread only.</remarks>
internal sealed class Scheduler
{
    private readonly int _chunk;
    private readonly LinkedList<SequenceGroup> _waiting = new();
    private readonly Slot[] _slots;
    private readonly SlotView[] _views;
    private readonly WaitingView[] _heads;
    private readonly List<SlotCopy> _forks = [];
    private long _uses;
    private long _admitted;
    private long _turn;

    /// <param name="chunk">Maximum prompt tokens of a step.</param>
    public Scheduler(int slots, int chunk)
    {
        _chunk = chunk;
        _slots = new Slot[slots];
        _views = new SlotView[slots];
        _heads = new WaitingView[slots];
    }

    public int Waiting => _waiting.Count;

    public int SlotsInUse
    {
        get
        {
            var used = 0;
            foreach (ref readonly var slot in _slots.AsSpan())
            {
                used += slot.Owner is null ? 0 : 1;
            }

            return used;
        }
    }

    public Sequence SequenceIn(int slot) => _slots[slot].Owner ?? throw new InvalidOperationException($"Slot {slot} belongs to nobody.");

    public int Count(SequenceState state)
    {
        var count = 0;
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            count += slot.Owner?.State == state ? 1 : 0;
        }

        return count;
    }

    public void Add(SequenceGroup group) => _waiting.AddLast(group);

    /// <summary>What the next plan is made of; valid until something changes.</summary>
    public SchedulerSnapshot Snapshot()
    {
        for (var i = 0; i < _slots.Length; i++)
        {
            var (owner, kept, lastUse) = _slots[i];
            _views[i] = owner is null
                ? new SlotView(null, 0, kept, lastUse, default, 0, TakesPrefix: false, WantsEveryRow: false)
                : new SlotView(owner.State, owner.Past, kept, lastUse, owner.Group.Tokens, owner.Group.Order, owner.Group.TakesPrefix, owner.Group.Kind.WantsEveryRow);
        }

        var heads = 0;
        for (var node = _waiting.First; node is not null && heads < _heads.Length; node = node.Next)
        {
            _heads[heads++] = new WaitingView(node.Value.Tokens, node.Value.Width, node.Value.TakesPrefix, node.Value.Kind.WantsEveryRow);
        }

        return new SchedulerSnapshot
        {
            Slots = _views,
            Waiting = _heads.AsSpan(0, heads),
            Forks = CollectionsMarshal.AsSpan(_forks),
            NextOrder = _admitted,
            Turn = _turn,
            Chunk = _chunk,
        };
    }

    /// <summary>Books a plan of the latest snapshot. Contents are the loop's affair.</summary>
    public void Apply(in StepPlan plan)
    {
        _forks.Clear();
        Admit(plan);
        foreach (var (a, _, b, _) in plan.Exchanges)
        {
            (_slots[a], _slots[b]) = (_slots[b], _slots[a]);
            Seat(a);
            Seat(b);
        }

        if (plan.Prefix is { } prefix)
        {
            var owner = SequenceIn(prefix.To);
            owner.Group.Cached += prefix.End - prefix.Start;
            owner.Past = prefix.End;
            Keep(owner);
        }
    }

    /// <summary>Notes that a chunk of the sequence's prompt is in its slot.</summary>
    public void Advanced(Sequence sequence, int count)
    {
        _turn++;
        sequence.Past += count;
        Keep(sequence);
    }

    /// <summary>The group's members go on as its kind decided: they decode from the next step on.</summary>
    public void GoOn(SequenceGroup group) => group.Fork(_forks);

    /// <summary>Lets paused groups whose readers caught up decode again.</summary>
    public void ResumeReaders()
    {
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            if (slot.Owner is { State: SequenceState.Paused, Group: { Kind.HasRoom: true } group })
            {
                group.Resume();
            }
        }
    }

    /// <summary>Takes a group out, wherever it stands, and frees its slots.</summary>
    /// <param name="contentsAreSound">Whether what its slots keep may serve later prompts.</param>
    public void Remove(SequenceGroup group, bool contentsAreSound)
    {
        if (group.HasEnded)
        {
            return;
        }

        if (_forks.Count > 0)
        {
            _forks.RemoveAll(copy => _slots[copy.To].Owner?.Group == group);
        }

        if (group.Members[0].State == SequenceState.Waiting)
        {
            _waiting.Remove(group);
        }

        foreach (var member in group.Members)
        {
            if (member.Slot >= 0)
            {
                ref var slot = ref _slots[member.Slot];
                slot = new Slot(null, contentsAreSound ? slot.Kept : default, ++_uses);
            }

            (member.State, member.Slot) = (SequenceState.Ended, -1);
        }
    }

    /// <summary>Every group that has not ended.</summary>
    public IReadOnlyList<SequenceGroup> All() => [.. _waiting.Concat(_slots.Where(slot => slot.Owner is not null).Select(slot => slot.Owner!.Group)).Distinct()];

    /// <summary>Sentences about what is wrong with the books; empty when all is well.</summary>
    public IReadOnlyList<string> BrokenInvariants()
    {
        var broken = new List<string>();
        for (var i = 0; i < _slots.Length; i++)
        {
            var (owner, kept, _) = _slots[i];
            if (owner is not null && owner.Slot != i)
            {
                broken.Add($"the owner of slot {i} believes to be in slot {owner.Slot}");
            }

            if (owner?.State is SequenceState.Waiting or SequenceState.Ended)
            {
                broken.Add($"slot {i} belongs to a sequence that is {owner.State}");
            }

            if (owner is not null && kept.Length > owner.Past)
            {
                broken.Add($"slot {i} is said to keep {kept.Length} prompt tokens but its owner has {owner.Past}");
            }
        }

        return broken;
    }

    private void Admit(in StepPlan plan)
    {
        // Places count from the head as it was.
        var (node, index) = (_waiting.First, 0);
        foreach (var (place, placements) in plan.Admissions)
        {
            for (; index < place; index++)
            {
                node = node!.Next;
            }

            var (admitted, group) = (node!, node!.Value);
            (node, index) = (admitted.Next, index + 1);
            _waiting.Remove(admitted);
            group.Order = _admitted++;
            group.Cached = placements[0].Reused;
            for (var member = 0; member < placements.Length; member++)
            {
                var sequence = group.Members[member];
                (sequence.Slot, sequence.Past) = (placements[member].Slot, placements[member].Reused);
                sequence.State = member == 0 ? SequenceState.Prefill : SequenceState.Reserved;
                _slots[sequence.Slot] = new Slot(sequence, group.Tokens.AsMemory(0, sequence.Past), _slots[sequence.Slot].LastUse);
            }

            group.Run.Meter.NoteStarted();
        }
    }

    private void Seat(int slot)
    {
        if (_slots[slot].Owner is { } owner)
        {
            owner.Slot = slot;
        }
    }

    private void Keep(Sequence sequence)
    {
        var whole = sequence.Group.SharesPrefix ? sequence.Past - (sequence.Past % _chunk) : 0;
        _slots[sequence.Slot] = _slots[sequence.Slot] with { Kept = sequence.Group.Tokens.AsMemory(0, whole) };
    }

    private readonly record struct Slot(Sequence? Owner, ReadOnlyMemory<int> Kept, long LastUse);
}
