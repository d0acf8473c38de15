using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Tests.Sampling;

public sealed class TopNSigmaTests
{
    private const float Out = float.NegativeInfinity;

    // By hand: 0 2 4 6 have the mean 3 and the variance (9 + 1 + 1 + 9) / 4 = 5, so one deviation is 2.236.
    [Theory]
    [InlineData(0.5, new[] { Out, Out, Out, 6 })] // from 6 - 1.118
    [InlineData(1.0, new[] { Out, Out, 4, 6f })] // from 6 - 2.236
    [InlineData(2.0, new[] { Out, 2, 4, 6f })] // from 6 - 4.472
    [InlineData(3.0, new[] { 0, 2, 4, 6f })] // from 6 - 6.708
    public void Scores_within_n_deviations_of_the_best_stay(double n, float[] kept)
    {
        float[] scores = [0, 2, 4, 6];

        new TopNSigma(n).Apply(scores);

        Assert.Equal(kept, scores);
    }

    [Fact]
    public void Tokens_that_are_out_already_do_not_count()
    {
        float[] scores = [0, Out, 2, 4, Out, 6];

        new TopNSigma(1).Apply(scores);

        Assert.Equal([Out, Out, Out, 4, Out, 6], scores);
    }

    [Fact]
    public void Scores_that_are_all_alike_all_stay()
    {
        float[] scores = [1, 1, 1];

        new TopNSigma(0.1).Apply(scores);

        Assert.Equal([1, 1, 1], scores);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1.0)]
    [InlineData(2.0)]
    public void The_temperature_does_not_change_what_is_kept(double temperature) =>
        Assert.Equal([2, 3], Drawn(new SamplingParameters { Temperature = temperature, Filters = [new TopNSigma(1)] }));

    /// <summary>Of 4 and 6 alone the deviation is 1, and 4 would be out.</summary>
    [Fact]
    public void The_deviation_is_that_of_all_scores_not_of_those_that_top_k_leaves() =>
        Assert.Equal([2, 3], Drawn(new SamplingParameters { TopK = 2, Filters = [new TopNSigma(1.5)] }));

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Another_number_is_a_fault(double n) => Assert.NotNull(new TopNSigma(n).Fault);

    /// <summary>Every token that 2,000 draws from 0 2 4 6 give.</summary>
    private static int[] Drawn(SamplingParameters sampling)
    {
        var sampler = new Sampler(4);
        var choice = new TokenChoice(new GenerationRequest { PromptTokens = [0], MaxTokens = 2000, Sampling = sampling with { Seed = 7 } });
        return [.. Enumerable.Range(0, 2000).Select(position => sampler.Choose([0, 2, 4, 6], choice, position).Token).Distinct().Order()];
    }
}
