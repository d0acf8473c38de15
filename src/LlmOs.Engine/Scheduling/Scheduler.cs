using System.Runtime.InteropServices;

namespace LlmOs.Engine.Scheduling;

/// <summary>Knows every group and who is in which slot. What happens next is decided by <see cref="StepPlanner"/>; this keeps the books.</summary>
/// <remarks>For the loop's thread only.</remarks>
internal sealed class Scheduler
{
    /// <summary>Steps after which a group that waits may have the slots of one that has run as long.</summary>
    public const int Quantum = 64;

    private readonly int _chunk;
    private readonly WaitingGroups _waiting;
    private readonly Slot[] _slots;
    private readonly SlotView[] _views;
    private readonly List<SlotCopy> _forks = [];
    private long _uses;
    private long _admitted;
    private long _step;
    private double _promptPass; // that of the flow whose chunk ran last, before the chunk

    /// <param name="chunk">Maximum prompt tokens of a step.</param>
    public Scheduler(int slots, int chunk)
    {
        _chunk = chunk;
        _slots = new Slot[slots];
        Array.Fill(_slots, new Slot(null, default, "", 0));
        _views = new SlotView[slots];
        _waiting = new WaitingGroups(slots);
    }

    /// <summary>Groups without slots, those among them that wait for their reader.</summary>
    public int Waiting => _waiting.Count + _waiting.Stalled.Count;

    /// <summary>Groups that wait for their reader without slots.</summary>
    public int Stalled => _waiting.Stalled.Count;

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

    /// <summary>Tokens whose keys and values belong to a sequence that has a slot.</summary>
    public long TokensInUse
    {
        get
        {
            var tokens = 0L;
            foreach (ref readonly var slot in _slots.AsSpan())
            {
                tokens += slot.Owner?.Past ?? 0;
            }

            return tokens;
        }
    }

    /// <summary>The first tokens of a slot that must stay though nobody owns it; null while somebody does.</summary>
    public int? KeptIn(int slot) => _slots[slot].Owner is null ? _slots[slot].Kept.Length : null;

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

    public void Add(SequenceGroup group) => _waiting.Add(group, _step, _promptPass, _admitted);

    /// <summary>Steps that a group has waited for slots.</summary>
    public long WaitedBy(SequenceGroup group) => _step - group.Since;

    /// <summary>Takes over the groups without slots of other books that cannot be trusted any more.</summary>
    public void Adopt(Scheduler other)
    {
        foreach (var (group, waitsForReader) in other._waiting.All().Select(group => (group, group.Place?.List == other._waiting.Stalled)).ToList())
        {
            Add(group);
            if (waitsForReader)
            {
                _waiting.SetAside(group);
            }
        }
    }

    /// <summary>What the next plan is made of; valid until something changes.</summary>
    public SchedulerSnapshot Snapshot()
    {
        _waiting.List(_step);
        for (var i = 0; i < _slots.Length; i++)
        {
            var (owner, kept, project, lastUse) = _slots[i];
            _views[i] = owner is null
                ? new SlotView(null, 0, kept, lastUse, default, 0, TakesPrefix: false, RowsFrom: 0, project)
                : new SlotView(owner.State, owner.Past, kept, lastUse, owner.Group.Tokens, owner.Group.Order, owner.Group.SharesPrefix, owner.Group.RowsFrom, project)
                {
                    Flow = _waiting.IndexOf(owner.Group.Caller),
                    Width = owner.Group.Width,
                    Ran = _step - owner.Group.Since,
                    IsProtected = owner.Group.ProtectedUntil > _step,
                };
        }

        return new SchedulerSnapshot
        {
            Slots = _views,
            Waiting = _waiting.Views,
            Flows = _waiting.Flows,
            Forks = CollectionsMarshal.AsSpan(_forks),
            NextOrder = _admitted,
            Chunk = _chunk,
            Quantum = Quantum,
        };
    }

    /// <summary>Books a plan of the latest snapshot. Contents are the loop's affair.</summary>
    public void Apply(in StepPlan plan)
    {
        Admit(plan);
        Arrange(plan);
    }

    /// <summary>Books the first half of a plan: who gives slots up, and who gets some.</summary>
    public void Admit(in StepPlan plan)
    {
        _step++;
        _forks.Clear();
        // Places count from the snapshot, so those admitted are found before anybody moves.
        SequenceGroup[] admitted = plan.Admissions.IsEmpty ? [] : [.. plan.Admissions.Select(admission => _waiting.At(admission.Index))];
        foreach (var slot in plan.Preempted)
        {
            // One that could not be saved has ended meanwhile.
            if (_slots[slot].Owner is { } owner)
            {
                Preempt(owner.Group);
            }
        }

        for (var i = 0; i < admitted.Length; i++)
        {
            Admit(admitted[i], plan.Admissions[i]);
        }
    }

    /// <summary>Books the second half: who changes places, and whose prompt begins with a copy.</summary>
    public void Arrange(in StepPlan plan)
    {
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
        var flow = _waiting.Of(sequence.Group.Caller);
        _promptPass = Math.Max(_promptPass, flow.PromptPass);
        flow.PromptPass += (double)count / flow.Caller.Weight;
        flow.Turn++;
        sequence.Past += count;
        Keep(sequence);
    }

    /// <summary>The group's members go on as its kind decided: they decode from the next step on.</summary>
    public void GoOn(SequenceGroup group) => group.Fork(_forks);

    /// <summary>Lets groups whose readers caught up go on: those with slots decode again, those without wait for some.</summary>
    public void ResumeReaders()
    {
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            if (slot.Owner is { State: SequenceState.Paused, Group: { Kind.HasRoom: true } group })
            {
                group.Resume();
            }
        }

        _waiting.ResumeReaders(_step);
    }

    /// <summary>Takes a group out, wherever it stands, and frees its slots.</summary>
    /// <param name="contentsAreSound">Whether what its slots keep may serve later prompts.</param>
    public void Remove(SequenceGroup group, bool contentsAreSound)
    {
        if (group.HasEnded)
        {
            return;
        }

        DropForks(group);
        foreach (var member in group.Members)
        {
            FreeSlot(member, slot => new Slot(null, contentsAreSound ? slot.Kept : default, slot.Project, ++_uses));
            member.State = SequenceState.Ended;
            member.Saved?.Dispose();
            member.Saved = null;
        }

        _waiting.End(group);
    }

    /// <summary>Every group that has not ended.</summary>
    public IReadOnlyList<SequenceGroup> All() => [.. WithSlots(), .. _waiting.All()];

    /// <summary>Every group that has slots.</summary>
    public IReadOnlyList<SequenceGroup> WithSlots() => [.. _slots.Where(slot => slot.Owner is not null).Select(slot => slot.Owner!.Group).Distinct()];

    /// <summary>Sentences about what is wrong with the books; empty when all is well.</summary>
    public IReadOnlyList<string> BrokenInvariants()
    {
        var broken = new List<string>(_waiting.BrokenInvariants(WithSlots()));
        for (var i = 0; i < _slots.Length; i++)
        {
            var (owner, kept, project, _) = _slots[i];
            if (owner is null)
            {
                continue;
            }

            if (owner.Slot != i)
            {
                broken.Add($"the owner of slot {i} believes to be in slot {owner.Slot}");
            }

            if (owner.State is SequenceState.Waiting or SequenceState.Ended)
            {
                broken.Add($"slot {i} belongs to a sequence that is {owner.State}");
            }

            if (project != owner.Group.Caller.Project)
            {
                broken.Add($"slot {i} is said to hold tokens of '{project}' but its owner is '{owner.Group.Caller.Project}'");
            }

            if (kept.Length > owner.Past)
            {
                broken.Add($"slot {i} is said to keep {kept.Length} prompt tokens but its owner has {owner.Past}");
            }
        }

        return broken;
    }

    /// <summary>Takes a group's slots away; what was in them has been saved, and it waits for others.</summary>
    private void Preempt(SequenceGroup group)
    {
        DropForks(group);
        var waitsForReader = group.Members[0].State == SequenceState.Paused;
        group.Resumes = waitsForReader ? SequenceState.Running : group.Members[0].State;
        foreach (var member in group.Members)
        {
            FreeSlot(member, slot => slot with { Owner = null });
            member.State = SequenceState.Waiting;
        }

        _waiting.PutBack(group, _step, waitsForReader);
    }

    private void Admit(SequenceGroup group, Admission admission)
    {
        var flow = _waiting.Take(group, _admitted);
        if (group.Resumes is null)
        {
            group.Cached = admission.Placements[0].Reused;
            group.Run.Meter.NoteStarted();
        }

        if (group.Resumes != SequenceState.Running)
        {
            // A flow that had no prompt for a while has not saved up turns.
            flow.PromptPass = Math.Max(flow.PromptPass, _promptPass);
        }

        (group.Order, group.Since) = (_admitted++, _step);
        group.ProtectedUntil = admission.IsProtected ? _step + Quantum : 0;
        for (var member = 0; member < admission.Placements.Length; member++)
        {
            var (sequence, placement) = (group.Members[member], admission.Placements[member]);
            sequence.Slot = placement.Slot;
            sequence.Past = group.Resumes is null ? placement.Reused : sequence.Past;
            sequence.State = member == 0 || group.Resumes == SequenceState.Running ? group.Resumes ?? SequenceState.Prefill : SequenceState.Reserved;
            _slots[sequence.Slot] = new Slot(sequence, group.Tokens.AsMemory(0, placement.Reused), group.Caller.Project, _slots[sequence.Slot].LastUse);
        }

        group.Resumes = null;
    }

    /// <param name="left">The slot once its owner has left it.</param>
    private void FreeSlot(Sequence member, Func<Slot, Slot> left)
    {
        if (member.Slot >= 0)
        {
            _slots[member.Slot] = left(_slots[member.Slot]);
            member.Slot = -1;
            _waiting.Of(member.Group.Caller).Held--;
        }
    }

    private void DropForks(SequenceGroup group)
    {
        if (_forks.Count > 0)
        {
            _forks.RemoveAll(copy => _slots[copy.To].Owner?.Group == group);
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

    private readonly record struct Slot(Sequence? Owner, ReadOnlyMemory<int> Kept, string Project, long LastUse);
}
