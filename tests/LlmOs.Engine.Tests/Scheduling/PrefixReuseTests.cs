using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

public sealed class PrefixReuseTests
{
    [Fact]
    public void The_longest_prefix_wins_and_is_cut_to_whole_chunks()
    {
        int[] kept = [.. Range(0, 12)];

        Assert.Equal(12, PrefixReuse.Match(kept, Range(0, 40), chunk: 4));
        Assert.Equal(8, PrefixReuse.Match(kept, [.. Range(0, 11), 99, 99], chunk: 4));
        Assert.Equal(0, PrefixReuse.Match(kept, [5, 6, 7, 8, 9], chunk: 4));
        Assert.Equal(new SlotCopy(From: 1, To: 3, Start: 4, End: 12), PrefixReuse.Extend([Kept(Range(0, 8)), Kept(kept), Kept([9, 9, 9, 9]), Prefill(4)], slot: 3, chunk: 4));
    }

    [Fact]
    public void At_least_one_token_is_left_to_run()
    {
        Assert.Equal(4, PrefixReuse.Match(Range(0, 8), Range(0, 8), chunk: 4));
        Assert.Equal(8, PrefixReuse.Match(Range(0, 8), Range(0, 9), chunk: 4));
        Assert.Equal(0, PrefixReuse.Match(Range(0, 8), [0], chunk: 4));
    }

    [Fact]
    public void Nothing_is_copied_that_is_there_already_or_must_be_computed()
    {
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(8)], slot: 1, chunk: 4));
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(2)], slot: 1, chunk: 4));
        Assert.Null(PrefixReuse.Extend([Kept(Range(0, 8)), Prefill(4) with { TakesPrefix = false }], slot: 1, chunk: 4));
    }

    private static SlotView Kept(int[] tokens) => Slots.Free(tokens, lastUse: 1);

    private static SlotView Prefill(int past) => Slots.Owned(SequenceState.Prefill, past, Range(0, 40), chunk: 4, order: 0);

    private static int[] Range(int start, int count) => [.. Enumerable.Range(start, count)];
}
