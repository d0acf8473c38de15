namespace LlmOs.Engine.Scheduling;

/// <summary>
/// Which groups give their slots up for one that waits. What they have is saved and put back later, so nothing is computed again
/// and no bit of a reply changes.
/// </summary>
/// <remarks>
/// A group may have the slots of
/// one that waits for its reader;
/// one whose flow holds more slots, for its weight, than the group's own flow would hold then;
/// once it has waited for a quantum of steps, one that has run for a quantum; within a flow only where one of the two needs
/// several slots, since among others it would gain nothing;
/// once a group of several slots has waited for two quanta, any: one slot after the other never becomes free for it.
/// What was taken by waiting is kept for a quantum, so nobody waits for longer than the quanta of those before it and two more.
/// </remarks>
internal static class Preemption
{
    /// <summary>A slot of each group that goes; none when all that may be taken would not be enough.</summary>
    /// <param name="isDue">Whether one goes only because the group has waited for so long.</param>
    public static IReadOnlyList<int> Choose(ReadOnlySpan<SlotView> slots, ReadOnlySpan<FlowView> flows, in WaitingView group, int free, long quantum, out bool isDue)
    {
        isDue = false;
        List<(int Slot, double Rank)>? candidates = null;
        for (var slot = 0; slot < slots.Length; slot++)
        {
            if (IsFirstOfGroup(slots, slot) && Right(group, slots[slot], flows, quantum) != Claim.None)
            {
                // Those that nobody would miss first, then those whose flow has most, and of these the newest.
                var rank = slots[slot].State == SequenceState.Paused ? double.MaxValue : flows[slots[slot].Flow].ShareWith(0);
                (candidates ??= []).Add((slot, rank));
            }
        }

        if (candidates is null)
        {
            return [];
        }

        var orders = slots.ToArray();
        candidates.Sort((a, b) => a.Rank != b.Rank ? b.Rank.CompareTo(a.Rank) : orders[b.Slot].Order.CompareTo(orders[a.Slot].Order));
        var held = flows.ToArray();
        List<int> taken = [];
        foreach (var (slot, _) in candidates)
        {
            if (free >= group.Width)
            {
                break;
            }

            // Asked again: the flow may hold less by now.
            var claim = Right(group, slots[slot], held, quantum);
            if (claim == Claim.None)
            {
                continue;
            }

            isDue |= claim == Claim.Waited;
            var flow = slots[slot].Flow;
            held[flow] = held[flow] with { Held = held[flow].Held - slots[slot].Width };
            free += slots[slot].Width;
            taken.Add(slot);
        }

        return free >= group.Width ? taken : [];
    }

    /// <summary>Frees all slots of a group; what they keep of its prompt stays.</summary>
    public static void Clear(Span<SlotView> slots, long order)
    {
        foreach (ref var slot in slots)
        {
            if (!slot.IsFree && slot.Order == order)
            {
                slot = new SlotView(null, 0, slot.Kept, slot.LastUse, default, 0, TakesPrefix: false, RowsFrom: 0, slot.Project);
            }
        }
    }

    private static Claim Right(in WaitingView group, in SlotView victim, ReadOnlySpan<FlowView> flows, long quantum)
    {
        if (victim.State == SequenceState.Paused)
        {
            return Claim.Idle;
        }

        if (victim.IsProtected)
        {
            return Claim.None;
        }

        var isOther = victim.Flow != group.Flow;
        if (isOther && flows[victim.Flow].ShareWith(0) > flows[group.Flow].ShareWith(group.Width))
        {
            return Claim.Share;
        }

        var needsSeveral = group.Width > 1;
        var isDue = (group.Waited >= quantum && victim.Ran >= quantum && (isOther || needsSeveral || victim.Width > 1))
            || (group.Waited >= 2 * quantum && needsSeveral);
        return isDue ? Claim.Waited : Claim.None;
    }

    /// <summary>By what right a group takes another's slots.</summary>
    private enum Claim
    {
        None,
        Idle,
        Share,
        Waited,
    }

    private static bool IsFirstOfGroup(ReadOnlySpan<SlotView> slots, int slot)
    {
        if (slots[slot].IsFree)
        {
            return false;
        }

        for (var before = 0; before < slot; before++)
        {
            if (!slots[before].IsFree && slots[before].Order == slots[slot].Order)
            {
                return false;
            }
        }

        return true;
    }
}
