using LlmOs.Engine.Cache;

namespace LlmOs.Engine.Tests.Cache;

public sealed class PrefixIndexTests
{
    [Fact]
    public void The_longest_prefix_wins_and_is_cut_to_whole_chunks()
    {
        var index = new PrefixIndex(slots: 3, chunk: 4);
        index.Record(0, Range(0, 20), 7);     // one whole chunk
        index.Record(1, Range(0, 20), 12);    // three
        index.Record(2, [9, .. Range(0, 19)], 16);

        Assert.Equal(new PrefixMatch(1, 12), index.Find(Range(0, 40)));
        Assert.Equal(new PrefixMatch(1, 8), index.Find([.. Range(0, 11), 99, 99]));
        Assert.Equal(new PrefixMatch(2, 4), index.Find([9, 0, 1, 2, 77, 78]));
        Assert.Equal(new PrefixMatch(-1, 0), index.Find([5, 6, 7, 8, 9]));
    }

    [Fact]
    public void At_least_one_token_is_left_to_run()
    {
        var index = new PrefixIndex(slots: 1, chunk: 4);
        index.Record(0, Range(0, 8), 8);

        Assert.Equal(4, index.Find(Range(0, 8)).Tokens);
        Assert.Equal(8, index.Find(Range(0, 9)).Tokens);
        Assert.Equal(0, index.Find([0]).Tokens);
    }

    [Fact]
    public void What_a_slot_holds_moves_and_is_forgotten_with_it()
    {
        var index = new PrefixIndex(slots: 2, chunk: 2);
        index.Record(0, Range(0, 6), 6);

        index.Exchange(0, 1);
        Assert.Equal(new PrefixMatch(1, 6), index.Find(Range(0, 9)));

        index.Forget(1);
        Assert.Equal(0, index.Find(Range(0, 9)).Tokens);
        Assert.Equal(0, index.HeldBy(1));
    }

    private static int[] Range(int start, int count) => [.. Enumerable.Range(start, count)];
}
