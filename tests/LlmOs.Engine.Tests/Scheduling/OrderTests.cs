using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

/// <summary>Who comes first: prompts, free slots, an encoder's texts.</summary>
public sealed class OrderTests
{
    [Fact]
    public void The_oldest_prompt_and_the_one_nearest_to_its_end_take_turns()
    {
        SlotView[] slots = [Prefill(128, 190, order: 9), Prefill(0, 300, order: 7), Slots.Free(), Prefill(64, 8000, order: 3)];

        Assert.Equal(3, PrefillOrder.Next(slots, OneFlow(turn: 0)));
        Assert.Equal(0, PrefillOrder.Next(slots, OneFlow(turn: 1)));
        Assert.Equal(3, PrefillOrder.Next(slots, OneFlow(turn: 2)));
        Assert.Equal(-1, PrefillOrder.Next([Slots.Free()], OneFlow(turn: 0)));
    }

    [Fact]
    public void The_caller_that_has_had_fewest_prompt_tokens_for_its_weight_has_the_next_chunk()
    {
        SlotView[] slots = [Prefill(0, 8000, order: 1), Prefill(0, 8000, order: 2), Prefill(0, 30, order: 9) with { Flow = 1 }];

        Assert.Equal(2, PrefillOrder.Next(slots, [new FlowView(2, 4, PromptPass: 64, 0, 0), new FlowView(1, 4, PromptPass: 48, 0, 0)]));
        Assert.Equal(0, PrefillOrder.Next(slots, [new FlowView(2, 4, PromptPass: 64, 0, 0), new FlowView(1, 4, PromptPass: 65, 0, 0)]));
    }

    [Fact]
    public void Of_prompts_equally_near_to_their_end_the_older_comes_first()
    {
        Assert.Equal(1, PrefillOrder.Next([Prefill(0, 64, order: 2), Prefill(64, 128, order: 1)], OneFlow(turn: 1)));
    }

    [Fact]
    public void Chunks_are_cut_at_the_same_places_whatever_else_runs()
    {
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var chunk = random.Next(1, 70);
            SlotView[] slots = [.. Enumerable.Range(0, random.Next(1, 8)).Select(order => Prefill(0, random.Next(1, 400), order))];
            var cuts = slots.Select(_ => new List<int>()).ToList();
            for (var turn = random.Next(100); PrefillOrder.Next(slots, OneFlow(turn)) is var slot and >= 0; turn++)
            {
                var cut = PrefillOrder.Cut(slots[slot], slot, slots[slot].Past, chunk);
                cuts[slot].Add(cut.Start);
                slots[slot] = slots[slot] with { Past = cut.Start + cut.Count, State = cut.IsLast ? SequenceState.Running : SequenceState.Prefill };
            }

            Assert.All(cuts.Zip(slots), pair => Assert.Equal(Enumerable.Range(0, (pair.Second.Prompt.Length + chunk - 1) / chunk).Select(i => i * chunk), pair.First));
        }
    }

    [Fact]
    public void The_oldest_prompt_waits_for_one_chunk_of_another_at_most()
    {
        var random = new Random(5);
        for (var round = 0; round < 1_000; round++)
        {
            SlotView[] slots = [.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => Prefill(0, random.Next(1, 400), random.Next(1000)))];
            var oldest = Array.FindIndex(slots, slot => slot.Order == slots.Min(other => other.Order));

            Assert.Contains(oldest, new[] { PrefillOrder.Next(slots, OneFlow(round)), PrefillOrder.Next(slots, OneFlow(round + 1)) });
        }
    }

    [Fact]
    public void Contents_that_are_missed_least_are_evicted_first()
    {
        Assert.Equal(2, SlotChoice.Evict([Slots.Free([1], lastUse: 1), Running(), Slots.Free([], lastUse: 9), Slots.Free([2], lastUse: 0)]));
        Assert.Equal(1, SlotChoice.Evict([Slots.Free([1], lastUse: 5), Slots.Free([1], lastUse: 2), Running()]));
        Assert.Equal(-1, SlotChoice.Evict([Running()]));
    }

    [Fact]
    public void A_slot_that_keeps_much_more_than_the_shared_opening_is_spared()
    {
        int[] kept = [1, 1, 1, 1, .. Enumerable.Repeat(2, 40)];
        SlotView[] slots = [Slots.Free(kept, lastUse: 9), Slots.Free([5, 5, 5, 5], lastUse: 3)];

        Assert.Equal(new Placement(Slot: 1, Reused: 0, Evicted: 4), Choose(slots, [1, 1, 1, 1, 3, 3]));
        Assert.Equal(new Placement(Slot: 0, Reused: 40, Evicted: 4), Choose(slots, [.. kept[..41], 7]));
        Assert.Equal(new Placement(Slot: 1, Reused: 0, Evicted: 4), SlotChoice.Choose(slots, wanted: default, chunk: 4));
    }

    private static Placement Choose(SlotView[] slots, int[] prompt) => SlotChoice.Choose(slots, new PrefixWanted("", prompt.AsSpan()[..^1]), chunk: 4);

    [Fact]
    public void The_oldest_text_is_in_the_next_batch_with_others_of_its_length()
    {
        BatchQueue[] queues = [Texts(length: 64, oldest: 12, count: 3), Texts(length: 8, oldest: 4, count: 1000)];

        Assert.Equal([new BatchPart(Queue: 1, Count: 512)], BatchOrder.Next(queues, [new BatchFlow(0)], tokens: 4096));
        Assert.Equal([new BatchPart(Queue: 0, Count: 3)], BatchOrder.Next([queues[0]], [new BatchFlow(0)], tokens: 4096));
        Assert.Equal([new BatchPart(Queue: 0, Count: 1)], BatchOrder.Next([Texts(length: 8192, oldest: 1, count: 2)], [new BatchFlow(0)], tokens: 4096));
        Assert.Empty(BatchOrder.Next([], [], tokens: 4096));
    }

    [Fact]
    public void A_batch_is_for_the_caller_that_has_had_fewest_tokens_and_others_fill_it_up()
    {
        BatchQueue[] queues =
        [
            Texts(length: 8, oldest: 0, count: 2000),
            Texts(length: 16, oldest: 5000, count: 1, flow: 1),
            Texts(length: 16, oldest: 1, count: 9),
            Texts(length: 16, oldest: 2, count: 9) with { Wanted = EncoderOutput.Pooled },
        ];

        Assert.Equal([new BatchPart(1, 1), new BatchPart(2, 7)], BatchOrder.Next(queues, [new BatchFlow(64), new BatchFlow(32)], tokens: 128));
        Assert.Equal([new BatchPart(0, 16)], BatchOrder.Next(queues, [new BatchFlow(64), new BatchFlow(96)], tokens: 128));
    }

    private static BatchQueue Texts(int length, long oldest, int count, int flow = 0) => new(flow, length, EncoderOutput.States, oldest, count);

    private static FlowView[] OneFlow(long turn) => [new FlowView(Held: 1, Weight: 4, PromptPass: 0, turn, LastAdmitted: 0)];

    private static SlotView Prefill(int past, int length, long order) => Slots.Owned(SequenceState.Prefill, past, new int[length], chunk: 64, order);

    private static SlotView Running() => Slots.Owned(SequenceState.Running, 9, new int[9], chunk: 4, order: 0);
}
