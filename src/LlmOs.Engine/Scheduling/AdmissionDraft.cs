using System.Collections.Immutable;

namespace LlmOs.Engine.Scheduling;

/// <summary>Admissions that are being chosen: what the slots and flows would be after those chosen so far.</summary>
internal ref struct AdmissionDraft(in SchedulerSnapshot now)
{
    private readonly ReadOnlySpan<WaitingView> _waiting = now.Waiting;
    private readonly SlotView[] _slots = now.Slots.ToArray();
    private readonly FlowView[] _flows = now.Flows.ToArray();
    private readonly Look[] _looks = new Look[now.Waiting.Length];
    private readonly long _firstOrder = now.NextOrder;
    private readonly long _quantum = now.Quantum;
    private readonly int _chunk = now.Chunk;
    private readonly ImmutableArray<Admission>.Builder _admissions = ImmutableArray.CreateBuilder<Admission>();
    private readonly ImmutableArray<int>.Builder _preempted = ImmutableArray.CreateBuilder<int>();
    private int _free = Free(now.Slots);
    private bool _isDue;

    /// <summary>The group whose turn it is, by index; -1 when all have had theirs.</summary>
    public readonly int Next()
    {
        var next = -1;
        for (var i = 0; i < _waiting.Length; i++)
        {
            // Those of one flow stand together, the next one first.
            if (_looks[i] == Look.Due && (next < 0 || (_waiting[i].Flow != _waiting[next].Flow && IsBefore(_flows[_waiting[i].Flow], _flows[_waiting[next].Flow]))))
            {
                next = i;
            }
        }

        if (next >= 0)
        {
            _looks[next] = Look.Passed;
        }

        return next;
    }

    public bool Fits(int index)
    {
        _isDue = false;
        return _waiting[index].Width <= _free;
    }

    /// <summary>Takes slots from others, if the group may have them.</summary>
    public bool MakeRoom(int index)
    {
        var victims = Preemption.Choose(_slots, _flows, _waiting[index], _free, _quantum, out _isDue);
        foreach (var slot in victims)
        {
            var (flow, width) = (_slots[slot].Flow, _slots[slot].Width);
            _flows[flow] = _flows[flow] with { Held = _flows[flow].Held - width };
            _free += width;
            _preempted.Add(slot);
            Preemption.Clear(_slots, _slots[slot].Order);
        }

        if (victims.Count > 0)
        {
            // There may be more room now than this group needs.
            _looks.AsSpan().Replace(Look.Passed, Look.Due);
        }

        return victims.Count > 0;
    }

    public void Admit(int index)
    {
        _looks[index] = Look.Admitted;
        var group = _waiting[index];
        var order = _firstOrder + _admissions.Count;
        var placements = ImmutableArray.CreateBuilder<Placement>(group.Width);
        for (var member = 0; member < group.Width; member++)
        {
            // Only the first member runs the prompt, so only it can begin with a prefix.
            var placement = SlotChoice.Choose(_slots, member == 0 ? group.Prefix : default, _chunk);
            // Nobody who is placed here is taken out in the same step.
            _slots[placement.Slot] = AdmissionOrder.Placed(_slots[placement.Slot], group, placement, member, order) with { IsProtected = true };
            placements.Add(placement);
        }

        _free -= group.Width;
        _flows[group.Flow] = _flows[group.Flow] with { Held = _flows[group.Flow].Held + group.Width, LastAdmitted = order };
        _admissions.Add(new Admission(index, placements.MoveToImmutable(), _isDue));
    }

    public readonly (ImmutableArray<int> Preempted, ImmutableArray<Admission> Admissions) Done() =>
        (_preempted.DrainToImmutable(), _admissions.DrainToImmutable());

    private enum Look
    {
        Due,
        Passed,
        Admitted,
    }

    private static bool IsBefore(in FlowView a, in FlowView b)
    {
        var (shareA, shareB) = (a.ShareWith(0), b.ShareWith(0));
        return shareA != shareB ? shareA < shareB : a.LastAdmitted < b.LastAdmitted;
    }

    private static int Free(ReadOnlySpan<SlotView> slots)
    {
        var free = 0;
        foreach (ref readonly var slot in slots)
        {
            free += slot.IsFree ? 1 : 0;
        }

        return free;
    }
}
