using LlmOs.Trainer.Corpus;

namespace LlmOs.Trainer.Tests.Corpus;

public class BatchOrderTests
{
    [Theory]
    [InlineData(65, 32)]
    [InlineData(1_000, 8)]
    [InlineData(12_345, 16)]
    public void Every_epoch_takes_each_window_once_and_stays_inside_the_text(long tokens, int context)
    {
        var order = new BatchOrder(seed: 5, tokens, context);
        for (var epoch = 0; epoch < 3; epoch++)
        {
            var starts = Enumerable.Range(0, (int)order.WindowsPerEpoch).Select(i => order.StartOf((epoch * order.WindowsPerEpoch) + i)).ToList();

            Assert.Equal(starts.Count, starts.Distinct().Count());
            Assert.Single(starts.Select(s => s % context).Distinct());
            Assert.All(starts, s => Assert.InRange(s, 0, tokens - context - 1));
        }
    }

    [Fact]
    public void Seeds_and_epochs_have_orders_of_their_own()
    {
        var one = new BatchOrder(1, 100_000, 64);
        var other = new BatchOrder(2, 100_000, 64);
        var first = Enumerable.Range(0, 50).Select(i => one.StartOf(i)).ToList();

        Assert.Equal(first, Enumerable.Range(0, 50).Select(i => new BatchOrder(1, 100_000, 64).StartOf(i)));
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(i => other.StartOf(i)));
        Assert.NotEqual(first, Enumerable.Range(0, 50).Select(i => one.StartOf(one.WindowsPerEpoch + i)));
        Assert.NotEqual(first.Order(), first);
    }
}
