using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

public sealed class SchedulerTests
{
    [Fact]
    public void The_books_stay_in_order_whatever_happens()
    {
        var random = new Random(21);
        var world = new Books(slots: 6, chunk: 4);
        var steps = 0;
        for (var round = 0; round < 5_000; round++)
        {
            switch (random.Next(6))
            {
                case 0:
                    world.Add(Prompt(random), width: random.Next(5) == 0 ? random.Next(2, 5) : 1, caller: $"{random.Next(3)}");
                    break;
                case 1 when world.Alive.Count > 0:
                    world.Remove(world.Alive[random.Next(world.Alive.Count)], random.Next(2) == 0);
                    break;
                case 2 when world.Alive.Find(group => group.Members[0].State == SequenceState.Running) is { Width: 1 } group:
                    group.Pause();
                    break;
                case 3:
                    // Nobody reads here, so every buffer has room: all paused ones may go on.
                    world.Scheduler.ResumeReaders();
                    Assert.Equal(0, world.Scheduler.Count(SequenceState.Paused));
                    break;
                default:
                    steps += world.Step() ? 1 : 0;
                    break;
            }

            Assert.Empty(world.Scheduler.BrokenInvariants());
            Assert.Equal(world.Alive.ToHashSet(), world.Scheduler.All().ToHashSet());
        }

        Assert.True(world.Admitted.Count > 300 && steps > 1000, $"{world.Admitted.Count} admitted, {steps} steps");
        Assert.True(world.Forks > 20, $"{world.Forks} forks");
    }

    [Fact]
    public void Waiting_groups_are_admitted_in_order_as_slots_become_free()
    {
        var world = new Books(slots: 2, chunk: 4);
        var groups = Enumerable.Range(0, 4).Select(i => world.Add([i, i])).ToList();

        world.Step();
        Assert.Equal(groups[..2], world.Admitted);

        world.Remove(groups[0], contentsAreSound: true);
        world.Step();
        Assert.Equal(groups[..3], world.Admitted);
        Assert.Equal(1, world.Scheduler.Waiting);
    }

    [Fact]
    public void Of_one_callers_groups_the_oldest_is_admitted_first_and_everybody_gets_a_token_in_every_step_after_the_prompt()
    {
        var random = new Random(31);
        for (var round = 0; round < 30; round++)
        {
            var world = new Books(slots: random.Next(1, 7), chunk: random.Next(1, 9));
            var submitted = new List<SequenceGroup>();
            for (var step = 0; step < 150 || world.Alive.Count > 0; step++)
            {
                Assert.True(step < 10_000, "somebody never ends");
                if (step < 150 && random.Next(2) == 0)
                {
                    submitted.Add(world.Add(Prompt(random)));
                }

                var running = world.Alive.Where(group => group.Members[0].State == SequenceState.Running).ToDictionary(group => group, group => group.Members[0].Past);
                world.Step();

                Assert.All(running, pair => Assert.Equal(pair.Value + 1, pair.Key.Members[0].Past));
                world.EndThoseOf(tokens: 5);
            }

            Assert.True(submitted.SequenceEqual(world.Admitted));
        }
    }

    [Fact]
    public void Nobody_waits_for_longer_than_the_policy_says_whatever_the_others_ask()
    {
        var (random, longest) = (new Random(77), 0);
        for (var round = 0; round < 10; round++)
        {
            var (slots, callers) = (random.Next(2, 9), random.Next(1, 9));
            var world = new Books(slots, chunk: 8);
            var begun = new Dictionary<SequenceGroup, int>();
            for (var step = 0; step < 1500 || world.Alive.Count > 0; step++)
            {
                Assert.True(step < 200_000, "somebody never ends");
                var caller = random.Next(callers);
                // The first caller floods; the others have one request at a time, now and then for several slots.
                if (step < 1500 && (caller == 0 ? random.Next(2) == 0 : world.Alive.All(group => group.Caller.Project != $"{caller}")))
                {
                    begun.Add(world.Add(Prompt(random), width: random.Next(6) == 0 ? random.Next(2, slots + 1) : 1, caller: $"{caller}"), step);
                }

                world.Step();
                Assert.Empty(world.Scheduler.BrokenInvariants());
                foreach (var group in world.Alive.Where(group => group.Caller.Project != "0" && group.Members[0].State == SequenceState.Waiting))
                {
                    // Each of the others may have a quantum before it, and two more pass until it may take what it needs.
                    var waited = world.Scheduler.WaitedBy(group);
                    Assert.True(waited <= (callers + 2) * Scheduler.Quantum, $"{waited} steps, {callers} callers, {slots} slots, {group.Width} wide");
                    longest = Math.Max(longest, (int)waited);
                }

                world.EndThoseOf(tokens: 200);
            }
        }

        Assert.True(longest > Scheduler.Quantum, $"nobody waited for long ({longest} steps), so this shows nothing");
    }

    [Fact]
    public void A_group_that_needs_many_slots_lets_others_pass_and_has_its_turn()
    {
        var world = new Books(slots: 4, chunk: 4);
        var running = world.Add([1, 2]);
        world.Step();
        var wide = world.Add([3, 4], width: 4);
        var narrow = world.Add([5, 6]);

        world.Step();
        Assert.Equal([running, narrow], world.Admitted);

        for (var step = 0; step < 2 * Scheduler.Quantum; step++)
        {
            world.Step();
        }

        Assert.Equal([running, narrow, wide], world.Admitted);
        Assert.All([running, narrow], group => Assert.Equal(SequenceState.Waiting, group.Members[0].State));
        world.Remove(wide, contentsAreSound: true);
        var past = (running.Members[0].Past, narrow.Members[0].Past);
        world.Step();
        Assert.Equal((past.Item1 + 1, past.Item2 + 1), (running.Members[0].Past, narrow.Members[0].Past));
    }

    [Fact]
    public void A_new_caller_has_a_slot_at_once_where_another_holds_all()
    {
        var world = new Books(slots: 4, chunk: 4);
        var flood = Enumerable.Range(0, 40).Select(i => world.Add([i, i], caller: "flood")).ToList();
        world.Step();
        world.Step();

        var other = world.Add([7, 7], caller: "other");
        world.Step();

        Assert.NotEqual(SequenceState.Waiting, other.Members[0].State);
        Assert.Equal(3, flood.Count(group => group.Members[0].State is SequenceState.Prefill or SequenceState.Running));
        // The one that made room goes on before those of its caller that have not begun.
        world.Remove(flood.First(group => group.Members[0].State == SequenceState.Running), contentsAreSound: true);
        world.Step();
        Assert.Equal(4, world.Admitted.Count(group => group.Caller.Project == "flood"));
    }

    [Fact]
    public void Jobs_have_a_share_beside_callers_who_wait_for_an_answer()
    {
        var world = new Books(slots: 10, chunk: 4);
        for (var i = 0; i < 40; i++)
        {
            world.Add([i, i], caller: "job", workClass: WorkClass.Batch);
            world.Add([i, i], caller: "key");
        }

        for (var step = 0; step < 20; step++)
        {
            world.Step();
        }

        Assert.Equal(2, world.Alive.Count(group => group.Caller.Project == "job" && group.Members[0].State != SequenceState.Waiting));
    }

    [Fact]
    public void A_slot_with_much_more_than_the_shared_opening_is_copied_from_not_overwritten()
    {
        var world = new Books(slots: 3, chunk: 4);
        int[] longPrompt = [.. Enumerable.Repeat(1, 4), .. Enumerable.Repeat(2, 40)];
        world.RunAlone(longPrompt);

        // Shares four tokens of 44 and goes elsewhere; the long prompt is still there afterwards.
        Assert.Equal(4, world.RunAlone([.. Enumerable.Repeat(1, 4), 3, 3]).Cached);
        Assert.Equal(40, world.RunAlone(longPrompt).Cached);
    }

    [Fact]
    public void What_a_fault_left_behind_serves_nobody()
    {
        var world = new Books(slots: 2, chunk: 4);
        int[] prompt = [.. Enumerable.Range(0, 20)];
        var group = world.Add(prompt);
        world.Step();
        world.Step();

        world.Remove(group, contentsAreSound: false);

        Assert.Equal(0, world.RunAlone(prompt).Cached);
    }

    private static int[] Prompt(Random random) => [.. Enumerable.Range(0, random.Next(1, 30)).Select(i => i < 12 ? i : random.Next(10))];

    /// <summary>A scheduler that is driven as the loop drives it, without a model. Replies end only when a test ends them.</summary>
    private sealed class Books(int slots, int chunk)
    {
        private readonly Random _random = new(7);

        public int Slots { get; } = slots;

        public Scheduler Scheduler { get; } = new(slots, chunk);

        public List<SequenceGroup> Alive { get; } = [];

        public List<SequenceGroup> Admitted { get; } = [];

        public int Forks { get; private set; }

        public SequenceGroup Add(int[] prompt, int width = 1, string caller = "", WorkClass workClass = WorkClass.Interactive)
        {
            var group = new SequenceGroup(prompt, [], new Silent(width), new EngineCaller(caller, workClass));
            Alive.Add(group);
            Scheduler.Add(group);
            return group;
        }

        public void Remove(SequenceGroup group, bool contentsAreSound)
        {
            Alive.Remove(group);
            Scheduler.Remove(group, contentsAreSound);
        }

        /// <returns>Whether there was anything to do.</returns>
        public bool Step()
        {
            var now = Scheduler.Snapshot();
            var plan = StepPlanner.Plan(now);
            var expected = RunningFirst.After(AdmissionOrder.After(now, plan.Preempted, plan.Admissions), plan.Exchanges);
            if (plan.IsEmpty)
            {
                return false;
            }

            var waiting = Alive.Where(group => group.Members[0].State == SequenceState.Waiting && group.Resumes is null).ToList();
            Forks += plan.Forks.Length;
            Scheduler.Apply(plan);
            Admitted.AddRange(waiting.Where(group => group.Members[0].State != SequenceState.Waiting));
            CheckBooked(plan, expected);
            if (plan.Prefill is { } part)
            {
                var sequence = Scheduler.SequenceIn(part.Slot);
                Scheduler.Advanced(sequence, part.Count);
                if (part.IsLast)
                {
                    GoOn(sequence.Group);
                }
            }

            var rows = Enumerable.Range(0, plan.DecodeRows).Select(Scheduler.SequenceIn).ToList();
            rows.ForEach(sequence => sequence.Past++);
            rows.Select(sequence => sequence.Group).Distinct().ToList().ForEach(GoOn);
            return true;
        }

        public SequenceGroup RunAlone(int[] prompt)
        {
            var group = Add(prompt);
            while (group.Members[0].State != SequenceState.Running)
            {
                Step();
            }

            Remove(group, contentsAreSound: true);
            return group;
        }

        public void EndThoseOf(int tokens)
        {
            foreach (var group in Alive.Where(group => group.Members[0].Past >= group.Tokens.Length + tokens).ToList())
            {
                Remove(group, contentsAreSound: true);
            }
        }

        private void GoOn(SequenceGroup group)
        {
            var first = group.Members.All(member => member.State != SequenceState.Running);
            for (var member = 0; member < group.Width; member++)
            {
                group.Next[member] = new Continuation(first ? 0 : _random.Next(group.Width), Token: member);
            }

            Scheduler.GoOn(group);
        }

        /// <summary>The books say what the plan foresaw.</summary>
        private void CheckBooked(StepPlan plan, SlotView[] expected)
        {
            var booked = Scheduler.Snapshot().Slots.ToArray();
            for (var slot = 0; slot < booked.Length; slot++)
            {
                var past = plan.Prefix is { } prefix && prefix.To == slot ? prefix.End : expected[slot].Past;
                Assert.Equal((expected[slot].State, past, expected[slot].Order, expected[slot].LastUse), (booked[slot].State, booked[slot].Past, booked[slot].Order, booked[slot].LastUse));
                Assert.True(booked[slot].Kept.Span.StartsWith(expected[slot].Kept.Span));
            }
        }
    }

    /// <summary>A kind of some width that makes nothing of its logits.</summary>
    private sealed class Silent(int width) : SequenceKind(new EngineRun<int>(() => 0, TimeProvider.System))
    {
        public override int Width => width;

        public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next) => throw new InvalidOperationException("Nobody computes logits here.");
    }
}
