namespace LlmOs.Engine.Scheduling;

/// <summary>What the next step does. Nothing here, nor in what it calls, changes anything.</summary>
internal static class StepPlanner
{
    public static StepPlan Plan(in SchedulerSnapshot now)
    {
        var (preempted, admissions) = AdmissionOrder.Choose(now);
        var slots = admissions.IsEmpty ? now.Slots : AdmissionOrder.After(now, preempted, admissions);
        var exchanges = RunningFirst.Exchanges(slots);
        slots = exchanges.IsEmpty ? slots : RunningFirst.After(slots, exchanges);

        SlotCopy? prefix = null;
        PrefillChunk? chunk = null;
        if (PrefillOrder.Next(slots, now.Flows) is var slot and >= 0)
        {
            prefix = PrefixReuse.Extend(slots, slot, now.Chunk);
            chunk = PrefillOrder.Cut(slots[slot], slot, prefix?.End ?? slots[slot].Past, now.Chunk);
        }

        return new StepPlan(now.Forks.IsEmpty ? [] : [.. now.Forks], preempted, admissions, exchanges, prefix, chunk, RunningFirst.Count(slots));
    }
}
