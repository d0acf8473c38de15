using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine.Formats;
using LlmOs.Testing;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

/// <summary>Twenty steps that PyTorch and transformers recorded, repeated by the trainer: loss, gradient, clipping and AdamW are right.</summary>
public sealed class ReplayTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-replay-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 4)]
    [InlineData(1, 3)] // micro-batches of 3 and 1
    public async Task The_recorded_steps_come_out_again(int threads, int microWindows)
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "training", "pretrain", "llama.json"), Cancel));
        using var tensors = SafetensorsFile.Open(SharedFolder.Require("vectors", "training", "pretrain", "llama.safetensors"));

        var result = await ReplayAsync(SpecOf(recorded.RootElement) with { Threads = threads, MicroWindows = microWindows });

        Assert.All(Numbers(recorded.RootElement, "loss").Zip(result.Losses), p => Assert.Equal(p.First, p.Second, 1e-5 * p.First));
        Assert.All(Numbers(recorded.RootElement, "grad_norm").Zip(result.GradientNorms), p => Assert.Equal(p.First, p.Second, 1e-4 * p.First));
        Compare(tensors, "grad0", "gradient-0", (largest, _) => 1e-4 * largest, allowed: 0);
        foreach (var step in new[] { 1, 5, 20 })
        {
            // Adam turns the rounding of gradients near 0 into steps of the size of the rate: a few values may differ by more.
            Compare(tensors, $"p{step}", $"weights-{step}", (_, _) => 1e-5, allowed: 1e-3);
            Compare(tensors, $"p{step}", $"weights-{step}", (_, _) => 1e-3, allowed: 0);
        }
    }

    [Fact]
    public async Task In_bf16_the_losses_stay_close()
    {
        using var recorded = JsonDocument.Parse(await File.ReadAllBytesAsync(SharedFolder.Require("vectors", "training", "pretrain", "llama.json"), Cancel));

        var result = await ReplayAsync(SpecOf(recorded.RootElement) with { Precision = "bf16" });

        Assert.All(Numbers(recorded.RootElement, "loss").Zip(result.Losses), p => Assert.Equal(p.First, p.Second, 0.01 * p.First));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ReplaySpec SpecOf(JsonElement recorded)
    {
        var numbers = recorded.GetProperty("hyper_parameters");
        return new ReplaySpec
        {
            ModelFolder = SharedFolder.Require("vectors", "training", "models", "llama"),
            Tokens = recorded.GetProperty("tokens").Deserialize<List<List<long[]>>>()!,
            LearningRates = Numbers(recorded, "lr"),
            Beta1 = numbers.GetProperty("betas")[0].GetDouble(),
            Beta2 = numbers.GetProperty("betas")[1].GetDouble(),
            Epsilon = numbers.GetProperty("eps").GetDouble(),
            WeightDecay = numbers.GetProperty("weight_decay").GetDouble(),
            Clip = numbers.GetProperty("clip").GetDouble(),
            Snapshots = [1, 5, 20],
            OutputFolder = _folder,
        };
    }

    private async Task<ReplayResult> ReplayAsync(ReplaySpec spec)
    {
        var file = Path.Combine(_folder, "spec.json");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(spec, LlmOsJson.Options), Cancel);
        using var process = Process.Start(new ProcessStartInfo(TrainerFolder.Trainer, ["--replay", file]))!;
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(0, process.ExitCode);
        return JsonSerializer.Deserialize<ReplayResult>(await File.ReadAllBytesAsync(Path.Combine(_folder, "replay.json"), Cancel), LlmOsJson.Options)!;
    }

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
            var limit = tolerance(expected.Max(v => Math.Abs(v)), tensor.Name);
            compared += found.Length;
            outside += found.Zip(expected).Count(p => !(Math.Abs(p.First - p.Second) <= limit));
        }

        Assert.True(compared > 50_000, $"only {compared} values were compared");
        Assert.True(outside <= allowed * compared, $"{file}: {outside} of {compared} values differ by too much");
    }

    private static float[] Values(SafetensorsFile file, string name)
    {
        var values = new float[file.Find(name)!.Elements];
        file.Read(name, 0, values);
        return values;
    }

    private static List<double> Numbers(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
}
