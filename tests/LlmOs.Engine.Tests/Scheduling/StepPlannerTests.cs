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
        var plan = new Scene([Slots.Free(), Slots.Free([1, 2, 3, 4], lastUse: 7)], [], [], Chunk: 4).Plan();

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
    public void Only_free_slots_and_those_that_were_taken_are_given_away_and_none_twice()
    {
        Always(scene =>
        {
            var plan = scene.Plan();
            var given = plan.Admissions.SelectMany(admission => admission.Placements).ToList();
            var preempted = plan.Preempted.Select(slot => scene.Slots[slot].Order).ToHashSet();

            Assert.Equal(given.Count, given.Select(placement => placement.Slot).Distinct().Count());
            Assert.All(given, placement => Assert.True(scene.Slots[placement.Slot].IsFree || preempted.Contains(scene.Slots[placement.Slot].Order)));
        });
    }

    [Fact]
    public void No_slot_stays_free_that_a_waiting_group_could_have_and_of_a_flow_the_oldest_come_first()
    {
        Always(scene =>
        {
            var plan = scene.Plan();
            var admitted = plan.Admissions.Select(admission => admission.Index).ToHashSet();

            Assert.All(plan.Admissions, admission => Assert.Equal(scene.Waiting[admission.Index].Width, admission.Placements.Length));
            if (plan.Preempted.IsEmpty)
            {
                var left = scene.Slots.Count(slot => slot.IsFree) - plan.Admissions.Sum(admission => admission.Placements.Length);
                Assert.All(Enumerable.Range(0, scene.Waiting.Length).Where(index => !admitted.Contains(index)), index => Assert.True(scene.Waiting[index].Width > left));
            }

            foreach (var (group, index) in scene.Waiting.Select((group, index) => (group, index)).Where(pair => !admitted.Contains(pair.index)))
            {
                Assert.DoesNotContain(admitted, later => later > index && scene.Waiting[later].Flow == group.Flow && scene.Waiting[later].Width == group.Width && scene.Waiting[later].Waited <= group.Waited);
            }
        });
    }

    [Fact]
    public void Slots_are_taken_only_from_who_waits_for_a_reader_holds_more_than_its_share_or_has_run_for_long()
    {
        var (byPause, byShare, byWaiting) = (0, 0, 0);
        Always(scene =>
        {
            var plan = scene.Plan();
            Assert.True(plan.Preempted.IsEmpty || !plan.Admissions.IsEmpty);
            foreach (var slot in plan.Preempted)
            {
                var victim = scene.Slots[slot];
                var admitted = plan.Admissions.Select(admission => scene.Waiting[admission.Index]).ToList();
                // What the flows got and lost in this very step counts as well.
                var own = admitted.Where(group => group.Flow == victim.Flow).Sum(group => group.Width);
                int Lost(int flow) => plan.Preempted.Count(other => scene.Slots[other].Flow == flow);
                if (victim.State == SequenceState.Paused)
                {
                    byPause++;
                    continue;
                }

                Assert.False(victim.IsProtected);
                var isShare = admitted.Any(group => group.Flow != victim.Flow && scene.Flows[victim.Flow].ShareWith(own) > scene.Flows[group.Flow].ShareWith(group.Width - Lost(group.Flow)));
                var isWaiting = plan.Admissions.Any(admission => admission.IsProtected && scene.Waiting[admission.Index].Waited >= Scene.Quantum);
                Assert.True(isShare || isWaiting);
                byShare += isShare ? 1 : 0;
                byWaiting += isShare ? 0 : 1;
            }
        });
        Assert.True(byPause > 50 && byShare > 50 && byWaiting > 50, $"{byPause} {byShare} {byWaiting}");
    }

    [Fact]
    public void A_slot_is_reused_for_what_it_keeps_and_the_rest_of_it_is_evicted()
    {
        var reused = 0;
        Always(scene =>
        {
            // The first admission alone: those after it see slots that this one changed.
            if (scene.Plan().Admissions is not [var (index, placements, _), ..])
            {
                return;
            }

            var (group, placement) = (scene.Waiting[index], placements[0]);
            var kept = scene.Slots[placement.Slot].Kept;
            Assert.Equal(kept.Length - placement.Reused, placement.Evicted);
            Assert.Equal(0, placement.Reused % scene.Chunk);
            Assert.True(placement.Reused < group.Prompt.Length);
            Assert.True(group.Resumes is null || placement.Reused == 0);
            Assert.True(kept.Span.StartsWith(group.Prompt.Span[..placement.Reused]));
            Assert.True(placement.Reused == 0 || (group.TakesPrefix && group.Project == scene.Slots[placement.Slot].Project));
            Assert.True(placement.Reused <= group.RowsFrom);
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
            var wanted = Enumerable.Range(chunk.Start, chunk.Count).Count(token => token >= owner.RowsFrom);
            Assert.Equal(wanted == 0 ? LogitRows.None : owner.RowsFrom == owner.Prompt.Length - 1 ? LogitRows.Last : LogitRows.All, chunk.Rows);
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
            Assert.True(slots[prefix.To].TakesPrefix && slots[prefix.To].Project == slots[prefix.From].Project);
            Assert.True(prefix.End <= slots[prefix.To].RowsFrom);
            copied++;
        });
        Assert.True(copied > 50, $"only {copied} copied");
    }

    [Fact]
    public void Forks_that_the_last_step_asked_for_come_first()
    {
        SlotCopy[] forks = [new(0, 1, 0, 9), new(0, 2, 0, 9)];
        var now = new SchedulerSnapshot { Slots = [Slots.Free()], Waiting = [], Flows = [], Forks = forks, Chunk = 4 };

        Assert.Equal(forks, StepPlanner.Plan(now).Forks);
    }

    private static void Always(Action<Scene> holds)
    {
        var random = new Random(40);
        for (var round = 0; round < Rounds; round++)
        {
            holds(Scene.AtRandom(random));
        }
    }

    private static string Told(StepPlan plan) => string.Join(
        "; ",
        [
            string.Join(' ', plan.Forks),
            string.Join(' ', plan.Preempted),
            .. plan.Admissions.Select(admission => $"{admission.Index}: {string.Join(' ', admission.Placements)} {admission.IsProtected}"),
            string.Join(' ', plan.Exchanges),
            $"{plan.Prefix} {plan.Prefill} {plan.DecodeRows}",
        ]);
}
