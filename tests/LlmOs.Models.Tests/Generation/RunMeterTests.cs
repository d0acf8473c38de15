using LlmOs.Engine;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Tests.Generation;

public class RunMeterTests
{
    [Fact]
    public void A_prompt_counts_once_however_many_texts_are_made_of_it()
    {
        var sum = RunMeter.Sum(
        [
            (0, false, Usage(prompt: 5, cached: 0, made: 7)),
            (0, false, Usage(prompt: 5, cached: 4, made: 6)),
            (1, false, Usage(prompt: 3, cached: 2, made: 1)),
        ]);

        Assert.Equal((8, 2, 14), (sum.PromptTokens, sum.CachedTokens, sum.GeneratedTokens));
    }

    [Fact]
    public void Of_times_that_pass_together_the_longest_counts()
    {
        var sum = RunMeter.Sum([(0, false, Usage(made: 1, milliseconds: 30)), (0, false, Usage(made: 1, milliseconds: 50)), (1, false, Usage(made: 1, milliseconds: 40))]);

        Assert.Equal((50.0, 50.0, 50.0), (sum.QueueTime.TotalMilliseconds, sum.PromptTime.TotalMilliseconds, sum.DecodeTime.TotalMilliseconds));
    }

    [Fact]
    public void A_prompt_that_is_scored_as_well_counts_once_and_its_texts_say_what_was_cached()
    {
        var sum = RunMeter.Sum([(0, true, Usage(prompt: 5, cached: 0)), (0, false, Usage(prompt: 5, cached: 4, made: 2))]);

        Assert.Equal((5, 4, 2), (sum.PromptTokens, sum.CachedTokens, sum.GeneratedTokens));
    }

    [Fact]
    public async Task Nothing_costs_nothing()
    {
        using var meter = new RunMeter();

        Assert.True(meter.IsEmpty);
        Assert.Equal(EngineUsage.None, await meter.EndAsync());
    }

    private static EngineUsage Usage(int prompt = 0, int cached = 0, int made = 0, double milliseconds = 0) =>
        new(prompt, cached, made, TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds), TimeSpan.FromMilliseconds(milliseconds));
}
