using System.Text.Json;
using LlmOs.Engine.Sampling;
using LlmOs.Testing;

namespace LlmOs.Engine.Tests.Sampling;

public sealed class SamplerTests
{
    [Fact]
    public void Draws_follow_the_recorded_probabilities()
    {
        // chain-523: temperature, top-k, top-p and min-p one after the other.
        var row = File.ReadLines(SharedFolder.Require("vectors", "sampling", "processors.jsonl"))
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line))
            .Single(r => r.GetProperty("id").GetString() == "chain-523");
        float[] logits = [.. row.GetProperty("logits").EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Null ? float.NegativeInfinity : v.GetSingle())];
        double[] expected = [.. row.GetProperty("probs").EnumerateArray().Select(v => v.GetDouble())];
        var choice = Choice(new SamplingParameters { Temperature = 0.6, TopK = 30, TopP = 0.92, MinP = 0.03, Seed = 11 });
        var sampler = new Sampler(logits.Length);
        const int draws = 40_000;

        var counts = new int[logits.Length];
        for (var position = 0; position < draws; position++)
        {
            counts[sampler.Choose(logits, choice, position).Token]++;
        }

        for (var id = 0; id < logits.Length; id++)
        {
            // Five standard deviations of a binomial count.
            var tolerance = 5 * Math.Sqrt(draws * expected[id] * (1 - expected[id]));
            Assert.InRange(counts[id], (draws * expected[id]) - tolerance, (draws * expected[id]) + tolerance);
        }
    }

    [Fact]
    public void A_draw_depends_on_seed_and_position_alone()
    {
        var random = new Random(1);
        float[] logits = [.. Enumerable.Range(0, 3000).Select(_ => random.NextSingle())];
        int[] Draw(long seed, IEnumerable<int> positions)
        {
            var choice = Choice(new SamplingParameters { Seed = seed });
            var sampler = new Sampler(logits.Length);
            return [.. positions.Select(position => sampler.Choose(logits, choice, position).Token)];
        }

        var forward = Draw(5, Enumerable.Range(0, 50));
        var backward = Draw(5, Enumerable.Range(0, 50).Reverse());

        Assert.Equal(forward, backward.Reverse());
        Assert.NotEqual(forward, Draw(6, Enumerable.Range(0, 50)));
        Assert.True(forward.Distinct().Count() > 40);
    }

    [Fact]
    public void Seeded_numbers_spread_evenly()
    {
        var bins = new int[10];
        for (var position = 0; position < 20_000; position++)
        {
            bins[(int)(SeededDraw.At(42, position) * 10)]++;
        }

        Assert.All(bins, count => Assert.InRange(count, 1_800, 2_200));
    }

    [Fact]
    public void Temperature_zero_takes_the_best_and_the_first_of_equals()
    {
        Assert.Equal(2, new Sampler(5).Choose([0, 1, 3, 3, 2], Choice(new SamplingParameters { Temperature = 0 }), 0).Token);
    }

    [Theory]
    [InlineData(1e-6)]
    [InlineData(1e-38)]
    [InlineData(1e-45)]
    [InlineData(double.Epsilon)]
    public void The_smaller_the_temperature_the_greedier_down_to_the_smallest(double temperature)
    {
        float[] logits = [-4, 11, 90.5f, 90.25f, -3];
        foreach (var settings in new SamplingParameters[] { new(), new() { TopK = 2 }, new() { TopP = 0.9, MinP = 0.1 }, new() { TypicalP = 0.9 }, new() { Filters = [new TopNSigma(1)] } })
        {
            Assert.Equal(2, new Sampler(5).Choose(logits, Choice(settings with { Temperature = temperature, Seed = 1 }), 0).Token);
            Assert.Equal(1, new Sampler(3).Choose([-90, -20, -60], Choice(settings with { Temperature = temperature, Seed = 1 }), 0).Token);
        }
    }

    [Fact]
    public void Log_probabilities_are_the_models_own_whatever_the_settings_are()
    {
        float[] logits = [1, 2, 3, 2];
        var total = logits.Sum(l => Math.Exp(l));
        var settings = new SamplingParameters { Temperature = 0, LogitBias = new Dictionary<int, float> { [0] = 50 } };

        var chosen = new Sampler(4).Choose(logits, Choice(settings, topLogprobs: 3), 0);

        Assert.Equal(0, chosen.Token);
        Assert.Equal(Math.Log(Math.Exp(1) / total), chosen.Logprob!.Value, 1e-6);
        Assert.Equal([2, 1, 3], chosen.Top.Select(t => t.Token));
        Assert.Equal(Math.Log(Math.Exp(3) / total), chosen.Top[0].Logprob, 1e-6);
    }

    [Fact]
    public void End_tokens_wait_until_enough_tokens_were_made()
    {
        var choice = new TokenChoice(new GenerationRequest
        {
            PromptTokens = [1],
            MaxTokens = 9,
            MinTokens = 2,
            EndTokens = [2, 99],
            Sampling = new SamplingParameters { Temperature = 0 },
        });
        var sampler = new Sampler(4);

        Assert.Equal([1, 1, 2], Enumerable.Range(0, 3).Select(position => sampler.Choose([0, 1, 3, 0], choice, position).Token));
    }

    [Fact]
    public void Penalties_count_what_the_reply_made()
    {
        var choice = Choice(new SamplingParameters { Temperature = 0, FrequencyPenalty = 1, PresencePenalty = 0.5 });
        var sampler = new Sampler(3);
        var made = new List<int>();
        for (var position = 0; position < 5; position++)
        {
            var token = sampler.Choose([2, 1, -1], choice, position).Token;
            choice.Add(token);
            made.Add(token);
        }

        // Scores by hand: 2 1 -1 | 0.5 1 -1 | 0.5 -0.5 -1 | -0.5 -0.5 -1 | -1.5 -0.5 -1
        Assert.Equal([0, 1, 0, 0, 1], made);
    }

    [Fact]
    public void Logits_that_are_no_numbers_are_refused()
    {
        Assert.Throws<EngineStepException>(() => new Sampler(3).Choose([1, float.NaN, 2], Choice(new SamplingParameters()), 0));
    }

    [Fact]
    public void Nothing_is_allocated_unless_asked_for()
    {
        var random = new Random(1);
        float[] logits = [.. Enumerable.Range(0, 5000).Select(_ => random.NextSingle() * 8)];
        var sampler = new Sampler(logits.Length);
        TokenChoice[] choices =
        [
            Choice(new SamplingParameters { Temperature = 0 }),
            Choice(new SamplingParameters { Seed = 1 }),
            Choice(new SamplingParameters { Temperature = 0.7, TopK = 40, TopP = 0.9, MinP = 0.01, Seed = 1 }),
        ];
        foreach (var choice in choices)
        {
            sampler.Choose(logits, choice, 0);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var choice in choices)
        {
            sampler.Choose(logits, choice, 1);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static TokenChoice Choice(SamplingParameters sampling, int? topLogprobs = null) =>
        new(new GenerationRequest { PromptTokens = [0], MaxTokens = 100, Sampling = sampling, TopLogprobs = topLogprobs });
}
