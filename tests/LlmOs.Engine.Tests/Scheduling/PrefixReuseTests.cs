using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

public sealed class PrefixReuseTests
{
    [Fact]
    public void The_longest_prefix_wins_and_is_cut_to_whole_chunks()
    {
        int[] kept = [.. Range(0, 12)];

        Assert.Equal(12, Match(kept, Range(0, 40)));
        Assert.Equal(8, Match(kept, [.. Range(0, 11), 99, 99]));
        Assert.Equal(0, Match(kept, [5, 6, 7, 8, 9]));
        Assert.Equal(new SlotCopy(From: 1, To: 3, Start: 4, End: 12), PrefixReuse.Extend([Kept(Range(0, 8)), Kept(kept), Kept([9, 9, 9, 9]), Prefill(4)], slot: 3, chunk: 4));
    }

    [Fact]
    public void At_least_one_token_is_left_to_run()
    {
        Assert.Equal(4, Match(Range(0, 8), Range(0, 8)));
        Assert.Equal(8, Match(Range(0, 8), Range(0, 9)));
        Assert.Equal(0, Match(Range(0, 8), [0]));
    }

    [Fact]
    public void Nothing_is_copied_that_is_there_already_or_must_be_computed()
    {
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(8)], slot: 1, chunk: 4));
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(2)], slot: 1, chunk: 4));
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(4) with { TakesPrefix = false }], slot: 1, chunk: 4));
    }

    [Fact]
    public void What_another_project_left_is_not_there()
    {
        SlotView[] slots = [Kept(Range(0, 8)) with { Project = "a" }, Prefill(0) with { Project = "b" }, Prefill(0) with { Project = "a" }];

        Assert.Null(PrefixReuse.Extend(slots, slot: 1, chunk: 4));
        Assert.Equal(new SlotCopy(From: 0, To: 2, Start: 0, End: 8), PrefixReuse.Extend(slots, slot: 2, chunk: 4));
    }

    [Fact]
    public void Tokens_whose_logits_are_wanted_are_run()
    {
        SlotView[] slots = [Kept(Range(0, 40)), Prefill(0) with { RowsFrom = 21 }];

        Assert.Equal(new SlotCopy(From: 0, To: 1, Start: 0, End: 20), PrefixReuse.Extend(slots, slot: 1, chunk: 4));
        Assert.Null(PrefixReuse.Extend([slots[0], slots[1] with { RowsFrom = 0 }], slot: 1, chunk: 4));
    }

    private static int Match(int[] kept, int[] prompt) => PrefixReuse.Match(Kept(kept), new PrefixWanted("", prompt.AsSpan()[..^1]), chunk: 4);

    private static SlotView Kept(int[] tokens) => Slots.Free(tokens, lastUse: 1);

    private static SlotView Prefill(int past) => Slots.Owned(SequenceState.Prefill, past, Range(0, 40), chunk: 4, order: 0);

    private static int[] Range(int start, int count) => [.. Enumerable.Range(start, count)];
}
