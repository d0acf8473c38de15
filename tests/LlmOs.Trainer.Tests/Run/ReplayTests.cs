using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Testing;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Run;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>Twenty steps that PyTorch and transformers recorded, repeated by the trainer: loss, gradient, clipping and AdamW are right.</summary>
public sealed class ReplayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-replay-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama", 1, 4)]
    [InlineData("llama", 2, 4)]
    [InlineData("llama", 1, 3)] // micro-batches of 3 and 1
    [InlineData("gpt2", 1, 4)]
    [InlineData("gpt2", 2, 3)]
    public async Task The_recorded_steps_come_out_again(string model, int threads, int microWindows)
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "training", "pretrain", $"{model}.json"), Cancel));
        using var tensors = SafetensorsFile.Open(SharedFolder.Require("vectors", "training", "pretrain", $"{model}.safetensors"));
        var spec = SpecOf(model, recorded.RootElement) with { Threads = threads, MicroWindows = microWindows };

        var result = await ReplayAsync(spec);

        Assert.Equal(20, result.Losses.Count);
        Assert.All(Numbers(recorded.RootElement, "lr").Zip(Rates(recorded.RootElement)), p => Assert.Equal(p.First, p.Second, 1e-12));
        Assert.Equal(recorded.RootElement.GetProperty("decayed").EnumerateArray().Select(n => n.GetString()).Order(StringComparer.Ordinal), result.Decayed.Order(StringComparer.Ordinal));

        Assert.All(Numbers(recorded.RootElement, "loss").Zip(result.Losses), p => Assert.Equal(p.First, p.Second, 1e-5 * p.First));
        Assert.All(Numbers(recorded.RootElement, "grad_norm").Zip(result.GradientNorms), p => Assert.Equal(p.First, p.Second, 1e-4 * p.First));
        Compare(tensors, "grad0", "gradient-0", (largest, _) => 1e-4 * largest, allowed: 0);
        foreach (var step in spec.Snapshots)
        {
            // The reference's own tolerance is 99.9 % within 1e-5 and all within 3e-4. Differs: Adam makes steps of up to the rate of
            // an element whose gradient is rounding alone, and which way depends on the processor (seen: 1 of 69,360 off by 5e-4).
            Compare(tensors, $"p{step}", $"weights-{step}", (_, _) => 1e-5, allowed: 1e-3);
            Compare(tensors, $"p{step}", $"weights-{step}", (_, _) => 3e-4, allowed: 5e-5);
            Compare(tensors, $"p{step}", $"weights-{step}", (_, _) => 1e-3, allowed: 0);
        }
    }

    [Fact]
    public async Task Rows_of_unequal_length_weigh_by_their_tokens_whole_and_in_micro_batches()
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "training", "accumulate", "accumulate.json"), Cancel));
        using var tensors = SafetensorsFile.Open(SharedFolder.Require("vectors", "training", "accumulate", "accumulate.safetensors"));
        var numbers = recorded.RootElement.GetProperty("optimizer");
        var spec = new ReplaySpec
        {
            ModelFolder = SharedFolder.Require("vectors", "training", "models", "gpt2"),
            Tokens = [recorded.RootElement.GetProperty("tokens").Deserialize<List<long[]>>()!],
            Targets = [[.. recorded.RootElement.GetProperty("labels").Deserialize<List<long[]>>()!.Select(row => row[1..])]],
            LearningRates = [numbers.GetProperty("lr").GetDouble()],
            Beta1 = numbers.GetProperty("betas")[0].GetDouble(),
            Beta2 = numbers.GetProperty("betas")[1].GetDouble(),
            Epsilon = numbers.GetProperty("eps").GetDouble(),
            WeightDecay = 0.1,
            Clip = 1e9,
            Snapshots = [1],
            OutputFolder = _folder,
        };
        var (big, wrong) = (recorded.RootElement.GetProperty("big_batch"), recorded.RootElement.GetProperty("wrong_mean_of_micro_means"));

        foreach (var microWindows in new[] { 8, 2, 3 })
        {
            var result = await ReplayAsync(spec with { MicroWindows = microWindows });

            Assert.Equal(big.GetProperty("loss").GetDouble(), result.Losses[0], 1e-5 * big.GetProperty("loss").GetDouble());
            Assert.Equal(big.GetProperty("grad_norm").GetDouble(), result.GradientNorms[0], 1e-4 * big.GetProperty("grad_norm").GetDouble());
            Assert.NotEqual(wrong.GetProperty("loss").GetDouble(), result.Losses[0], 1e-4 * big.GetProperty("loss").GetDouble());
            Compare(tensors, "grad", "gradient-0", (largest, _) => 1e-4 * largest, allowed: 0);
        }
    }

    [Fact]
    public async Task In_bf16_the_losses_stay_close()
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "training", "pretrain", "llama.json"), Cancel));

        var result = await ReplayAsync(SpecOf("llama", recorded.RootElement) with { Precision = "bf16" });

        Assert.All(Numbers(recorded.RootElement, "loss").Zip(result.Losses), p => Assert.Equal(p.First, p.Second, 0.01 * p.First));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ReplaySpec SpecOf(string model, JsonElement recorded)
    {
        var numbers = recorded.GetProperty("hyper_parameters");
        return new ReplaySpec
        {
            ModelFolder = SharedFolder.Require("vectors", "training", "models", model),
            Tokens = recorded.GetProperty("tokens").Deserialize<List<List<long[]>>>()!,
            LearningRates = Numbers(recorded, "lr"),
            Beta1 = numbers.GetProperty("betas")[0].GetDouble(),
            Beta2 = numbers.GetProperty("betas")[1].GetDouble(),
            Epsilon = numbers.GetProperty("eps").GetDouble(),
            WeightDecay = numbers.GetProperty("weight_decay").GetDouble(),
            Clip = numbers.GetProperty("clip").GetDouble(),
            Snapshots = recorded.GetProperty("snapshots").Deserialize<List<int>>()!,
            OutputFolder = _folder,
        };
    }

    private static Task<ReplayResult> ReplayAsync(ReplaySpec spec) => TorchProcess.RunAsync(() => TrainingReplay.Run(spec));

    /// <param name="tolerance">From a tensor's largest value and its name.</param>
    /// <param name="allowed">Share of elements that may lie outside.</param>
    private void Compare(SafetensorsFile recorded, string prefix, string file, Func<double, string, double> tolerance, double allowed)
    {
        using var ours = SafetensorsFile.Open(Path.Combine(_folder, $"{file}.safetensors"));
        long compared = 0, outside = 0;
        foreach (var tensor in ours.Tensors)
        {
            var expected = Values(recorded, $"{prefix}/{tensor.Name}");
            var found = Values(ours, tensor.Name);
            if (file.StartsWith("weights", StringComparison.Ordinal) && tensor.Name.EndsWith(".c_attn.bias", StringComparison.Ordinal))
            {
                // The keys' bias changes no score's softmax: its gradient is rounding alone, which Adam makes steps of.
                (expected, found) = (WithoutMiddleThird(expected), WithoutMiddleThird(found));
            }

            var limit = tolerance(expected.Max(v => Math.Abs(v)), tensor.Name);
            compared += found.Length;
            outside += found.Zip(expected).Count(p => !(Math.Abs(p.First - p.Second) <= limit));
        }

        Assert.True(compared > 50_000, $"only {compared} values were compared");
        Assert.True(outside <= allowed * compared, $"{file}: {outside} of {compared} values differ by too much");
    }

    private static float[] WithoutMiddleThird(float[] values) => [.. values[..(values.Length / 3)], .. values[(values.Length / 3 * 2)..]];

    /// <summary>The rates that a request with these numbers would get.</summary>
    private static IEnumerable<double> Rates(JsonElement recorded)
    {
        var numbers = recorded.GetProperty("hyper_parameters");
        var total = numbers.GetProperty("total").GetInt32();
        var shape = numbers.GetProperty("schedule").GetString() == "cosine" ? RateShape.Cosine : RateShape.Linear;
        var rate = new LearningRate(numbers.GetProperty("lr").GetDouble(), numbers.GetProperty("warmup").GetDouble() / total, Minimum: 0, shape);
        return Enumerable.Range(0, total).Select(step => rate.At((double)step / total));
    }

    private static float[] Values(SafetensorsFile file, string name)
    {
        var values = new float[file.Find(name)!.Elements];
        file.Read(name, 0, values);
        return values;
    }

    private static List<double> Numbers(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
}
