using System.Collections.Immutable;

namespace LlmOs.Engine.Scheduling;

/// <summary>Who gets slots.</summary>
/// <remarks>
/// The flow that holds the fewest slots for its weight comes first; of those that hold as few, the one whose last admission is
/// longest ago. Within a flow the oldest comes first. A group that needs more slots than are free lets others pass, so no slot
/// is idle while somebody could use it. What it may take from others, and after how long, is said by <see cref="Preemption"/>.
/// </remarks>
internal static class AdmissionOrder
{
    /// <summary>A slot of each group that gives its slots up, and the groups that get slots then.</summary>
    public static (ImmutableArray<int> Preempted, ImmutableArray<Admission> Admissions) Choose(in SchedulerSnapshot now)
    {
        if (now.Waiting.IsEmpty)
        {
            return ([], []);
        }

        var draft = new AdmissionDraft(now);
        while (draft.Next() is var index and >= 0)
        {
            if (draft.Fits(index) || draft.MakeRoom(index))
            {
                draft.Admit(index);
            }
        }

        return draft.Done();
    }

    /// <summary>The slots once some groups have given theirs up and others are in them.</summary>
    public static SlotView[] After(in SchedulerSnapshot now, ImmutableArray<int> preempted, ImmutableArray<Admission> admissions)
    {
        var slots = now.Slots.ToArray();
        foreach (var slot in preempted)
        {
            Preemption.Clear(slots, now.Slots[slot].Order);
        }

        foreach (var (admission, number) in admissions.Select((admission, number) => (admission, number)))
        {
            for (var member = 0; member < admission.Placements.Length; member++)
            {
                var slot = admission.Placements[member].Slot;
                slots[slot] = Placed(slots[slot], now.Waiting[admission.Index], admission.Placements[member], member, now.NextOrder + number);
            }
        }

        return slots;
    }

    public static SlotView Placed(SlotView slot, in WaitingView group, Placement placement, int member, long order)
    {
        var past = group.Resumes switch
        {
            null => placement.Reused,
            SequenceState.Prefill when member > 0 => 0,
            _ => group.Past,
        };
        return new SlotView(
            member == 0 || group.Resumes == SequenceState.Running ? group.Resumes ?? SequenceState.Prefill : SequenceState.Reserved,
            past,
            group.Prompt[..placement.Reused],
            slot.LastUse,
            group.Prompt,
            order,
            group.TakesPrefix,
            group.RowsFrom,
            group.Project)
        {
            Flow = group.Flow,
            Width = group.Width,
        };
    }
}
