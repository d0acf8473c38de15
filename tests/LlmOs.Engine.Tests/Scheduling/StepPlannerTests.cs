using LlmOs.Engine.Execution;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

/// <summary>What holds of every plan, whatever the slots and the queue look like.</summary>
public sealed class StepPlannerTests
{
    private const int Rounds = 4_000;

    [Fact]
    public void Nothing_to_do_is_an_empty_plan()
    {
        var plan = new Scene([Slots.Free(), Slots.Free([1, 2, 3, 4], lastUse: 7)], [], Chunk: 4).Plan();

        Assert.True(plan.IsEmpty);
        Assert.Equal((0, 0, 0), (plan.Admissions.Length, plan.Exchanges.Length, plan.Forks.Length));
    }

    [Fact]
    public void Making_a_plan_changes_nothing_and_making_it_again_gives_the_same()
    {
        Always(scene =>
        {
            var (slots, waiting) = (scene.Slots.ToArray(), scene.Waiting.ToArray());

            var plan = scene.Plan();

            Assert.Equal(slots, scene.Slots);
            Assert.Equal(waiting, scene.Waiting);
            Assert.Equal(Told(plan), Told(scene.Plan()));
        });
    }

    [Fact]
    public void Only_free_slots_are_given_away_and_none_twice()
    {
        Always(scene =>
        {
            var given = scene.Plan().Admissions.SelectMany(admission => admission.Placements).ToList();

            Assert.Equal(given.Count, given.Select(placement => placement.Slot).Distinct().Count());
            Assert.All(given, placement => Assert.True(scene.Slots[placement.Slot].IsFree));
        });
    }

    [Fact]
    public void The_oldest_are_admitted_as_far_as_the_slots_reach_and_nobody_passes_one_that_waits_for_several()
    {
        var passed = 0;
        Always(scene =>
        {
            var admissions = scene.Plan().Admissions;

            Assert.Equal(Enumerable.Range(0, admissions.Length), admissions.Select(admission => admission.Index));
            Assert.All(admissions, admission => Assert.Equal(scene.Waiting[admission.Index].Width, admission.Placements.Length));
            var left = scene.Slots.Count(slot => slot.IsFree) - admissions.Sum(admission => admission.Placements.Length);
            Assert.True(admissions.Length == scene.Waiting.Length || scene.Waiting[admissions.Length].Width > left);
            passed += scene.Waiting.Skip(admissions.Length + 1).Any(group => group.Width <= left) ? 1 : 0;
        });
        Assert.True(passed > 10, "no scene had somebody who could have passed");
    }

    [Fact]
    public void A_slot_is_reused_for_what_it_keeps_and_the_rest_of_it_is_evicted()
    {
        var reused = 0;
        Always(scene =>
        {
            // The first admission alone: those after it see slots that this one changed.
            if (scene.Plan().Admissions is not [var (index, placements), ..])
            {
                return;
            }

            var (group, placement) = (scene.Waiting[index], placements[0]);
            var kept = scene.Slots[placement.Slot].Kept;
            Assert.Equal(kept.Length - placement.Reused, placement.Evicted);
            Assert.Equal(0, placement.Reused % scene.Chunk);
            Assert.True(placement.Reused < group.Prompt.Length);
            Assert.True(kept.Span.StartsWith(group.Prompt.Span[..placement.Reused]));
            Assert.True(placement.Reused == 0 || group.TakesPrefix);
            reused += placement.Reused > 0 ? 1 : 0;
        });
        Assert.True(reused > 100, $"only {reused} reused something");
    }

    [Fact]
    public void After_the_exchanges_the_running_ones_come_first_and_nothing_of_worth_is_lost()
    {
        var exchanged = 0;
        Always(scene =>
        {
            var plan = scene.Plan();
            var slots = scene.AfterAdmission(plan);
            foreach (var (a, tokensA, b, tokensB) in plan.Exchanges)
            {
                Assert.Equal((slots[a].Worth, slots[b].Worth), (tokensA, tokensB));
                (slots[a], slots[b]) = (slots[b], slots[a]);
                exchanged++;
            }

            Assert.Equal(plan.DecodeRows, slots.Count(slot => slot.State == SequenceState.Running));
            Assert.All(slots[..plan.DecodeRows], slot => Assert.Equal(SequenceState.Running, slot.State));
            Assert.True(plan.Exchanges.Length <= plan.DecodeRows);
        });
        Assert.True(exchanged > 100);
    }

    [Fact]
    public void A_prompt_if_there_is_any_gets_one_whole_chunk_with_the_logits_that_it_wants()
    {
        Always(scene =>
        {
            var plan = scene.Plan();
            var slots = scene.AfterExchanges(plan);

            Assert.Equal(slots.Any(slot => slot.State == SequenceState.Prefill), plan.Prefill is not null);
            if (plan.Prefill is not { } chunk)
            {
                return;
            }

            var owner = slots[chunk.Slot];
            Assert.Equal(SequenceState.Prefill, owner.State);
            Assert.Equal(plan.Prefix?.End ?? owner.Past, chunk.Start);
            Assert.Equal(0, chunk.Start % scene.Chunk);
            Assert.Equal(Math.Min(scene.Chunk, owner.Prompt.Length - chunk.Start), chunk.Count);
            Assert.Equal(chunk.Start + chunk.Count == owner.Prompt.Length, chunk.IsLast);
            Assert.Equal(owner.WantsEveryRow ? LogitRows.All : chunk.IsLast ? LogitRows.Last : LogitRows.None, chunk.Rows);
        });
    }

    [Fact]
    public void A_prefix_is_copied_from_a_slot_that_keeps_it()
    {
        var copied = 0;
        Always(scene =>
        {
            var plan = scene.Plan();
            if (plan.Prefix is not { } prefix)
            {
                return;
            }

            var slots = scene.AfterExchanges(plan);
            Assert.Equal((plan.Prefill!.Value.Slot, slots[prefix.To].Past), (prefix.To, prefix.Start));
            Assert.True(prefix.End > prefix.Start && prefix.End < slots[prefix.To].Prompt.Length);
            Assert.True(slots[prefix.From].Kept.Span.StartsWith(slots[prefix.To].Prompt.Span[..prefix.End]));
            Assert.True(slots[prefix.To].TakesPrefix);
            copied++;
        });
        Assert.True(copied > 50, $"only {copied} copied");
    }

    [Fact]
    public void Forks_that_the_last_step_asked_for_come_first()
    {
        SlotCopy[] forks = [new(0, 1, 0, 9), new(0, 2, 0, 9)];
        var now = new SchedulerSnapshot { Slots = [Slots.Free()], Waiting = [], Forks = forks, Chunk = 4 };

        Assert.Equal(forks, StepPlanner.Plan(now).Forks);
    }

    private static void Always(Action<Scene> holds)
    {
        var random = new Random(40);
        for (var round = 0; round < Rounds; round++)
        {
            var chunk = random.Next(1, 6);
            var slots = Slots.AtRandom(random, chunk);
            WaitingView[] waiting = [.. Enumerable.Range(0, random.Next(6)).Select(_ => AtRandom(random, slots.Length))];
            holds(new Scene(slots, waiting, chunk) { Turn = round });
        }
    }

    private static WaitingView AtRandom(Random random, int slots)
    {
        var wantsAll = random.Next(4) == 0;
        var width = wantsAll || random.Next(3) > 0 ? 1 : random.Next(1, slots + 1);
        return new WaitingView(Slots.Prompt(random), width, TakesPrefix: !wantsAll && random.Next(4) > 0, wantsAll);
    }

    private static string Told(StepPlan plan) => string.Join(
        "; ",
        [
            string.Join(' ', plan.Forks),
            .. plan.Admissions.Select(admission => $"{admission.Index}: {string.Join(' ', admission.Placements)}"),
            string.Join(' ', plan.Exchanges),
            $"{plan.Prefix} {plan.Prefill} {plan.DecodeRows}",
        ]);

    private sealed record Scene(SlotView[] Slots, WaitingView[] Waiting, int Chunk)
    {
        public long Turn { get; init; }

        private SchedulerSnapshot Now => new() { Slots = Slots, Waiting = Waiting, Chunk = Chunk, Turn = Turn, NextOrder = 100 };

        public StepPlan Plan() => StepPlanner.Plan(Now);

        public SlotView[] AfterAdmission(StepPlan plan) => AdmissionOrder.After(Now, plan.Admissions);

        public SlotView[] AfterExchanges(StepPlan plan) => RunningFirst.After(AfterAdmission(plan), plan.Exchanges);
    }
}
