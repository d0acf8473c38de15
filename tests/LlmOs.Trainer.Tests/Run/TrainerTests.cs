using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>What a training makes, and what it refuses.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama", "f32", "f32")]
    [InlineData("llama", "bf16", "f16")]
    [InlineData("gpt2", "f32", "f32")]
    [InlineData("gpt2", "bf16", "f32")]
    [InlineData("olmo2", "f32", "f32")]
    [InlineData("olmo2", "bf16", "f16")]
    public async Task A_text_becomes_a_model_whose_served_graph_gives_the_trainers_logits(string layout, string precision, string weights)
    {
        var shape = new ArchitectureSpec { Type = layout, Layers = 2, Hidden = 64, Heads = 4, KvHeads = layout == "gpt2" ? null : 2, Intermediate = 128, Context = 32 };
        var (exit, events) = await _folder.RunAsync(TrainerFolder.Request() with { Architecture = shape, Precision = precision, Weights = weights });

        Assert.Equal(TrainerExit.Done, exit);
        Assert.IsType<TrainerHello>(events[0]);
        var completed = Assert.IsType<TrainerCompleted>(events[^1]);
        Assert.Equal((60, 60 * 512), (completed.Steps, completed.Tokens));
        Assert.InRange(completed.Loss, 0.1, 3); // from ln 320 = 5.8
        Assert.InRange(completed.ValidationLoss!.Value, 0.1, 3);
        Assert.Single(events.OfType<TrainerProgress>().Select(p => p.LiveTensors).Distinct()); // nothing leaks

        var (parity, continued) = await _folder.ParityAsync(_folder.Result, Cancel);
        Assert.Equal(ParityPrompts.Count, parity.Prompts);
        Assert.InRange(parity.MaxAbsDiff, 0, ParityGate.Limit);
        Assert.Equal(new ContinuationView(Texts: 4, Equal: 4), continued); // what is served is what the trainer would write
    }

    [Fact]
    public async Task A_graph_of_other_weights_does_not_pass_the_gate()
    {
        await _folder.RunAsync(TrainerFolder.Request());
        var file = Path.Combine(_folder.Result, "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(file, Cancel);
        BitConverter.GetBytes(0.5f).CopyTo(bytes, bytes.Length - 4);
        await File.WriteAllBytesAsync(file, bytes, Cancel);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _folder.ParityAsync(_folder.Result, Cancel));

        Assert.Equal(ErrorCode.ParityFailed, refusal.Code);
    }

    [Fact]
    public async Task The_same_seed_and_threads_give_the_same_bytes_and_another_seed_others()
    {
        var request = TrainerFolder.Request(steps: 12) with { Threads = 2, Precision = "bf16" };

        var first = await WeightsAsync(request);
        var again = await WeightsAsync(request);
        var other = await WeightsAsync(request with { Seed = 2 });

        Assert.True(first.AsSpan().SequenceEqual(again));
        Assert.False(first.AsSpan().SequenceEqual(other));
    }

    [Fact]
    public async Task Micro_batches_of_unequal_size_give_the_step_of_the_whole_batch()
    {
        var whole = await LossesAsync(TrainerFolder.Request(steps: 8));
        var parts = await LossesAsync(TrainerFolder.Request(steps: 8) with { MicroBatchTokens = 5 * 32 }); // 5 + 5 + 5 + 1 windows

        Assert.All(whole.Zip(parts), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Fact]
    public async Task The_newest_two_checkpoints_and_the_best_are_kept_and_each_can_be_served()
    {
        var (_, events) = await _folder.RunAsync(TrainerFolder.Request(steps: 25) with { CheckpointEvery = 5, ValidateEvery = 10 });

        Assert.Equal([5, 10, 15, 20, 25], events.OfType<TrainerCheckpoint>().Select(c => c.Step));
        var state = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Checkpoints, "step-00000025", "state.json"), Cancel)).RootElement;
        Assert.Equal((25, 25 * 16), (state.GetProperty("step").GetInt32(), state.GetProperty("samples").GetInt32()));
        var best = $"step-{state.GetProperty("best_step").GetInt64():d8}";
        string[] expected = [.. new[] { "best", "latest", "step-00000020", "step-00000025", best }.Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(expected, Directory.GetFileSystemEntries(_folder.Checkpoints).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(("step-00000025", best), (await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel), await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "best"), Cancel)));

        // The last checkpoint holds the weights of the result, so the trainer's recorded logits are its own.
        var (parity, _) = await _folder.ParityAsync(Path.Combine(_folder.Checkpoints, "step-00000025"), Cancel);
        Assert.InRange(parity.MaxAbsDiff, 0, ParityGate.Limit);
    }

    [Fact]
    public async Task A_text_that_is_too_short_is_bad_input_and_names_the_field()
    {
        await File.WriteAllTextAsync(_folder.Text, "Too short.", Cancel);

        var (exit, events) = await _folder.RunAsync(TrainerFolder.Request());

        Assert.Equal(TrainerExit.BadInput, exit);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal(("invalid_request", "text"), (failed.Code, failed.Field));
        Assert.False(Directory.Exists(_folder.Result));
    }

    [Fact]
    public async Task A_bad_job_is_bad_input_before_torch_is_touched()
    {
        var (exit, events) = await _folder.RunAsync(TrainerFolder.Request() with { Clip = -1 });

        Assert.Equal(TrainerExit.BadInput, exit);
        Assert.Equal("clip", Assert.IsType<TrainerFailed>(events[^1]).Field);
        Assert.DoesNotContain(events, e => e is TrainerStage);
    }

    [Fact]
    public async Task A_rate_that_breaks_the_weights_ends_with_a_reason()
    {
        // Without a checkpoint there is nothing to go back to.
        var (exit, events) = await _folder.RunAsync(TrainerFolder.Request(steps: 400) with { LearningRate = 1, Warmup = 0, Clip = 1e6, WeightDecay = 10 });

        Assert.Equal(TrainerExit.BadInput, exit);
        Assert.Equal("learning_rate", Assert.IsType<TrainerFailed>(events[^1]).Field);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<byte[]> WeightsAsync(TrainingRequest request)
    {
        var (exit, _) = await _folder.RunAsync(request);
        Assert.Equal(TrainerExit.Done, exit);
        return await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "model.safetensors"), Cancel);
    }

    private async Task<List<double>> LossesAsync(TrainingRequest request)
    {
        var (exit, _) = await _folder.RunAsync(request);
        Assert.Equal(TrainerExit.Done, exit);
        using var history = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "training.json"), Cancel));
        return [.. history.RootElement.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("loss").GetDouble())];
    }
}
