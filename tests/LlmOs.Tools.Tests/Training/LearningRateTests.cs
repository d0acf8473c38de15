using System.Text.Json;
using LlmOs.Testing;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

public class LearningRateTests
{
    [Fact]
    public void It_rises_in_a_line_and_falls_on_a_cosine_to_its_minimum()
    {
        var rate = new LearningRate(Highest: 1e-3, Warmup: 0.1, Minimum: 0.1);

        Assert.Equal(0, rate.At(0));
        Assert.Equal(5e-4, rate.At(0.05), 1e-12);
        Assert.Equal(1e-3, rate.At(0.1), 1e-12);
        Assert.Equal(5.5e-4, rate.At(0.55), 1e-12); // half way down, between 1e-3 and 1e-4
        Assert.Equal(1e-4, rate.At(1), 1e-12);
    }

    [Fact]
    public void Without_warm_up_it_starts_at_its_highest() => Assert.Equal(2e-3, new LearningRate(2e-3, 0, 0).At(0));

    [Fact]
    public void It_equals_the_published_schedules()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "training", "schedules.json")));
        var compared = 0;
        foreach (var example in file.RootElement.GetProperty("cases").EnumerateArray())
        {
            var arguments = example.GetProperty("args");
            var shape = example.GetProperty("kind").GetString() switch
            {
                "cosine" or "cosine_with_min_lr" when IsHalfCosine(arguments) => RateShape.Cosine,
                "linear" => RateShape.Linear,
                "constant" or "constant_with_warmup" => RateShape.Constant,
                _ => (RateShape?)null,
            };
            if (shape is not { } known)
            {
                continue;
            }

            var steps = arguments.TryGetProperty("num_training_steps", out var total) ? total.GetDouble() : 40;
            var warmup = arguments.TryGetProperty("num_warmup_steps", out var rising) ? rising.GetDouble() : 0;
            var minimum = arguments.TryGetProperty("min_lr_rate", out var share) ? share.GetDouble() : 0;
            var rate = new LearningRate(example.GetProperty("base_lr").GetDouble(), warmup / steps, minimum, known);
            var expected = example.GetProperty("lr").EnumerateArray().Select(v => v.GetDouble()).ToList();
            for (var n = 0; n <= steps && n < expected.Count; n++)
            {
                Assert.Equal(expected[n], rate.At(n / steps), 1e-12);
                compared++;
            }
        }

        Assert.InRange(compared, 200, int.MaxValue);
    }

    private static bool IsHalfCosine(JsonElement arguments) => !arguments.TryGetProperty("num_cycles", out var cycles) || cycles.GetDouble() == 0.5;
}
