using LlmOs.Engine.Cache;
using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;
using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

public sealed class SchedulerTests
{
    private static readonly DecoderShape Shape = new(Layers: 1, KvHeads: 1, HeadDim: 1, Vocabulary: 10, ContextLength: 64);

    [Fact]
    public void No_slot_has_two_owners_and_the_running_ones_come_first_whatever_happens()
    {
        var random = new Random(21);
        using var cache = new SlotCache(Shape, slots: 6, Shape.ContextLength);
        var scheduler = new Scheduler(cache, chunk: 4);
        var alive = new List<Sequence>();
        var (admitted, steps) = (0, 0);
        for (var round = 0; round < 5_000; round++)
        {
            switch (random.Next(6))
            {
                case 0:
                    var sequence = NewSequence([.. Enumerable.Range(0, random.Next(1, 30)).Select(i => i < 12 ? i : random.Next(10))]);
                    alive.Add(sequence);
                    scheduler.Add(sequence);
                    break;
                case 1 when alive.Count > 0:
                    var leaving = alive[random.Next(alive.Count)];
                    alive.Remove(leaving);
                    scheduler.Remove(leaving, contentsAreSound: random.Next(2) == 0);
                    break;
                case 2 when scheduler.Running > 0:
                    scheduler.Pause(scheduler.RunningAt(random.Next(scheduler.Running)));
                    break;
                case 3:
                    // Nobody reads here, so every buffer is empty: all paused ones may go on.
                    scheduler.ResumeReaders(_ => { });
                    Assert.Equal(0, scheduler.Paused);
                    break;
                default:
                    scheduler.Admit(_ => admitted++);
                    steps += Step(scheduler);
                    break;
            }

            Assert.Empty(scheduler.BrokenInvariants());
            Assert.Equal(alive.Count, scheduler.All().Count);
            Assert.True(cache.Taken <= cache.Slots);
        }

        Assert.True(admitted > 300 && steps > 1000, $"{admitted} admitted, {steps} steps");
    }

    [Fact]
    public void Waiting_sequences_are_admitted_in_order_as_slots_become_free()
    {
        using var cache = new SlotCache(Shape, slots: 2, Shape.ContextLength);
        var scheduler = new Scheduler(cache, chunk: 4);
        var sequences = Enumerable.Range(0, 4).Select(i => NewSequence([i, i])).ToList();
        var order = new List<Sequence>();
        sequences.ForEach(scheduler.Add);

        scheduler.Admit(order.Add);
        Assert.Equal(sequences[..2], order);

        scheduler.Remove(sequences[0], contentsAreSound: true);
        scheduler.Admit(order.Add);
        Assert.Equal(sequences[..3], order);
        Assert.Equal(1, scheduler.Waiting);
    }

    [Fact]
    public void A_slot_with_much_more_than_the_shared_opening_is_copied_from_not_overwritten()
    {
        using var cache = new SlotCache(Shape, slots: 3, Shape.ContextLength);
        var scheduler = new Scheduler(cache, chunk: 4);
        int[] longPrompt = [.. Enumerable.Repeat(1, 4), .. Enumerable.Repeat(2, 40)];
        Run(scheduler, NewSequence(longPrompt));

        // Shares four tokens of 44 and goes elsewhere; the long prompt is still there afterwards.
        Assert.Equal(4, Run(scheduler, NewSequence([.. Enumerable.Repeat(1, 4), 3, 3])).Cached);
        Assert.Equal(40, Run(scheduler, NewSequence(longPrompt)).Cached);
    }

    /// <summary>Runs a step as the loop would, without a model; replies end only when a test removes them.</summary>
    private static int Step(Scheduler scheduler)
    {
        var plan = scheduler.Plan();
        if (plan.HasPrompt)
        {
            var sequence = scheduler.PromptAt(plan.Prompt);
            scheduler.PromptAdvanced(sequence, plan.Count);
            if (plan.IsLast)
            {
                scheduler.Join(sequence);
            }
        }

        for (var row = 0; row < plan.DecodeRows; row++)
        {
            var sequence = scheduler.RunningAt(row);
            sequence.Past = Math.Min(sequence.Past + 1, Shape.ContextLength);
        }

        return plan.IsEmpty ? 0 : 1;
    }

    private static Sequence Run(Scheduler scheduler, Sequence sequence)
    {
        scheduler.Add(sequence);
        scheduler.Admit(_ => { });
        while (sequence.State != SequenceState.Running)
        {
            Step(scheduler);
        }

        scheduler.Remove(sequence, contentsAreSound: true);
        return sequence;
    }

    private static Sequence NewSequence(int[] prompt)
    {
        var request = new GenerationRequest { PromptTokens = prompt, MaxTokens = 100 };
        var output = new EngineSequence(request, buffer: 8, () => { }, () => { }, TimeProvider.System);
        return Sequence.Generation(output, new TokenChoice(request), maxNew: 100);
    }
}
