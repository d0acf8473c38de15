using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

/// <summary>Slots, groups that wait and the flows of both, from which a plan is made.</summary>
internal sealed record Scene(SlotView[] Slots, WaitingView[] Waiting, FlowView[] Flows, int Chunk)
{
    public const int Quantum = 8;

    private const int MaxFlows = 3;

    private SchedulerSnapshot Now => new() { Slots = Slots, Waiting = Waiting, Flows = Flows, Chunk = Chunk, NextOrder = 100, Quantum = Quantum };

    public static Scene AtRandom(Random random)
    {
        var chunk = random.Next(1, 6);
        var slots = Scheduling.Slots.AtRandom(random, chunk);
        for (var slot = 0; slot < slots.Length; slot++)
        {
            slots[slot] = slots[slot] with { Flow = random.Next(MaxFlows), Ran = random.Next(3 * Quantum), IsProtected = random.Next(8) == 0 };
        }

        WaitingView[] waiting = [.. Enumerable.Range(0, random.Next(6)).Select(_ => WaitingAtRandom(random, slots.Length)).OrderBy(group => group.Flow)];
        FlowView[] flows = [.. Enumerable.Range(0, MaxFlows).Select(flow => new FlowView(
            slots.Count(slot => !slot.IsFree && slot.Flow == flow), random.Next(4) == 0 ? 1 : 4, random.Next(100), random.Next(10), random.Next(100)))];
        return new Scene(slots, waiting, flows, chunk);
    }

    public StepPlan Plan() => StepPlanner.Plan(Now);

    public SlotView[] AfterAdmission(StepPlan plan) => AdmissionOrder.After(Now, plan.Preempted, plan.Admissions);

    public SlotView[] AfterExchanges(StepPlan plan) => RunningFirst.After(AfterAdmission(plan), plan.Exchanges);

    private static WaitingView WaitingAtRandom(Random random, int slots)
    {
        var prompt = Scheduling.Slots.Prompt(random);
        var scores = random.Next(4) == 0;
        var width = scores || random.Next(3) > 0 ? 1 : random.Next(1, slots + 1);
        var rowsFrom = scores ? random.Next(prompt.Length) : prompt.Length - 1;
        var group = new WaitingView(prompt, width, TakesPrefix: random.Next(4) > 0, rowsFrom, Scheduling.Slots.Project(random))
        {
            Flow = random.Next(MaxFlows),
            Waited = random.Next(3 * Quantum),
        };
        return random.Next(4) > 0 ? group : group with { Resumes = SequenceState.Running, Past = prompt.Length + random.Next(10) };
    }
}
