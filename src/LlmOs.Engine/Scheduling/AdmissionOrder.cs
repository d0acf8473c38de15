using System.Collections.Immutable;

namespace LlmOs.Engine.Scheduling;

/// <summary>Who gets free slots: the oldest first. One that needs several slots waits for them, and nobody passes it meanwhile.</summary>
internal static class AdmissionOrder
{
    public static ImmutableArray<Admission> Choose(in SchedulerSnapshot now)
    {
        var free = Free(now.Slots);
        if (now.Waiting.IsEmpty || now.Waiting[0].Width > free)
        {
            return [];
        }

        var slots = now.Slots.ToArray();
        var admissions = ImmutableArray.CreateBuilder<Admission>();
        for (var index = 0; index < now.Waiting.Length && now.Waiting[index].Width <= free; index++)
        {
            var group = now.Waiting[index];
            var placements = ImmutableArray.CreateBuilder<Placement>(group.Width);
            for (var member = 0; member < group.Width; member++)
            {
                // Only the first member runs the prompt, so only it can begin with a prefix.
                var placement = SlotChoice.Choose(slots, group.Prompt.Span, group.TakesPrefix && member == 0, now.Chunk);
                slots[placement.Slot] = Placed(slots[placement.Slot], group, placement, member, now.NextOrder + index);
                placements.Add(placement);
            }

            free -= group.Width;
            admissions.Add(new Admission(index, placements.MoveToImmutable()));
        }

        return admissions.DrainToImmutable();
    }

    /// <summary>The slots once the groups are in them.</summary>
    public static SlotView[] After(in SchedulerSnapshot now, ImmutableArray<Admission> admissions)
    {
        var slots = now.Slots.ToArray();
        foreach (var (index, placements) in admissions)
        {
            for (var member = 0; member < placements.Length; member++)
            {
                var slot = placements[member].Slot;
                slots[slot] = Placed(slots[slot], now.Waiting[index], placements[member], member, now.NextOrder + index);
            }
        }

        return slots;
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

    private static SlotView Placed(SlotView slot, WaitingView group, Placement placement, int member, long order) => new(
        member == 0 ? SequenceState.Prefill : SequenceState.Reserved,
        placement.Reused,
        group.Prompt[..placement.Reused],
        slot.LastUse,
        group.Prompt,
        order,
        group.TakesPrefix,
        group.WantsEveryRow);
}
