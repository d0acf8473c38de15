using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

/// <summary>The trainer as a process, as the server starts it.</summary>
public sealed class TrainerTests : IDisposable
{
    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("llama", "f32", "f32")]
    [InlineData("llama", "bf16", "f16")]
    [InlineData("gpt2", "f32", "f32")]
    [InlineData("gpt2", "bf16", "f32")]
    public async Task A_text_becomes_a_model_whose_served_graph_gives_the_trainers_logits(string layout, string precision, string weights)
    {
        var shape = new ArchitectureSpec { Type = layout, Layers = 2, Hidden = 64, Heads = 4, KvHeads = layout == "llama" ? 2 : null, Intermediate = 128, Context = 32 };
        var (end, events) = await _folder.RunAsync(TrainerFolder.Request() with { Architecture = shape, Precision = precision, Weights = weights }, Cancel);

        Assert.Equal((TrainerExit.Done, ""), (end.ExitCode, end.ErrorTail));
        Assert.IsType<TrainerHello>(events[0]);
        var completed = Assert.IsType<TrainerCompleted>(events[^1]);
        Assert.Equal((60, 60 * 512), (completed.Steps, completed.Tokens));
        Assert.InRange(completed.Loss, 0.1, 3); // from ln 320 = 5.8
        Assert.InRange(completed.ValidationLoss!.Value, 0.1, 3);
        Assert.Single(events.OfType<TrainerProgress>().Select(p => p.LiveTensors).Distinct()); // nothing leaks

        var (parity, continued) = await ParityAsync(_folder.Result);
        Assert.Equal(ParityPrompts.Count, parity.Prompts);
        Assert.InRange(parity.MaxAbsDiff, 0, ParityGate.Limit);
        Assert.Equal(new ContinuationView(Texts: 4, Equal: 4), continued); // what is served is what the trainer would write
    }

    [Fact]
    public async Task A_graph_of_other_weights_does_not_pass_the_gate()
    {
        await _folder.RunAsync(TrainerFolder.Request(), Cancel);
        var file = Path.Combine(_folder.Result, "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(file, Cancel);
        BitConverter.GetBytes(0.5f).CopyTo(bytes, bytes.Length - 4);
        await File.WriteAllBytesAsync(file, bytes, Cancel);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ParityAsync(_folder.Result));

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
        var (_, events) = await _folder.RunAsync(TrainerFolder.Request(steps: 25) with { CheckpointEvery = 5, ValidateEvery = 10 }, Cancel);

        Assert.Equal([5, 10, 15, 20, 25], events.OfType<TrainerCheckpoint>().Select(c => c.Step));
        var state = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Checkpoints, "step-00000025", "state.json"), Cancel)).RootElement;
        Assert.Equal((25, 25 * 16), (state.GetProperty("step").GetInt32(), state.GetProperty("samples").GetInt32()));
        var best = $"step-{state.GetProperty("best_step").GetInt64():d8}";
        string[] expected = [.. new[] { "best", "latest", "step-00000020", "step-00000025", best }.Distinct().Order(StringComparer.Ordinal)];
        Assert.Equal(expected, Directory.GetFileSystemEntries(_folder.Checkpoints).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(("step-00000025", best), (await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel), await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "best"), Cancel)));

        // The last checkpoint holds the weights of the result, so the trainer's recorded logits are its own.
        var (parity, _) = await ParityAsync(Path.Combine(_folder.Checkpoints, "step-00000025"));
        Assert.InRange(parity.MaxAbsDiff, 0, ParityGate.Limit);
    }

    [Fact]
    public async Task Memory_stays_flat_over_2000_steps()
    {
        var request = TrainerFolder.Request(steps: 2_000) with
        {
            Architecture = new ArchitectureSpec { Type = "llama", Layers = 1, Hidden = 32, Heads = 2, Context = 16 },
            BatchTokens = 64,
            CheckpointEvery = 250,
            ValidateEvery = 100,
        };

        var (end, events) = await _folder.RunAsync(request, Cancel);

        Assert.Equal(TrainerExit.Done, end.ExitCode);
        var progress = events.OfType<TrainerProgress>().ToList();
        Assert.Single(progress.Select(p => p.LiveTensors).Distinct());
        var (middle, late) = (Resident(progress, 1_000, 1_400), Resident(progress, 1_600, 2_000));
        Assert.InRange(late / middle, 0, 1.03);

        static double Resident(IEnumerable<TrainerProgress> progress, long from, long to) => progress.Where(p => p.Step >= from && p.Step <= to).Average(p => p.ResidentBytes);
    }

    [Fact]
    public async Task A_text_that_is_too_short_is_bad_input_and_names_the_field()
    {
        await File.WriteAllTextAsync(_folder.Text, "Too short.", Cancel);

        var (end, events) = await _folder.RunAsync(TrainerFolder.Request(), Cancel);

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal(("invalid_request", "text"), (failed.Code, failed.Field));
        Assert.False(Directory.Exists(_folder.Result));
    }

    [Fact]
    public async Task A_bad_job_is_bad_input_before_torch_is_touched()
    {
        var (end, events) = await _folder.RunAsync(TrainerFolder.Request() with { Clip = -1 }, Cancel);

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        Assert.Equal("clip", Assert.IsType<TrainerFailed>(events[^1]).Field);
        Assert.DoesNotContain(events, e => e is TrainerStage);
    }

    [Fact]
    public async Task A_rate_that_breaks_the_weights_ends_with_a_reason()
    {
        // Without a checkpoint there is nothing to go back to.
        var (end, events) = await _folder.RunAsync(TrainerFolder.Request(steps: 400) with { LearningRate = 1, Warmup = 0, Clip = 1e6, WeightDecay = 10 }, Cancel);

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        Assert.Equal("learning_rate", Assert.IsType<TrainerFailed>(events[^1]).Field);
    }

    [Fact]
    public async Task A_cancelled_training_ends_at_its_next_step_and_leaves_no_result()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var job = _folder.WriteJob(TrainerFolder.Request(steps: 1_000_000));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new TrainerProcess(TrainerFolder.Trainer, TimeProvider.System)
            .RunAsync(job, 1, happened => CancelAt<TrainerProgress>(happened, cancel), () => null, cancel.Token));

        Assert.False(Directory.Exists(_folder.Result));
    }

    [Fact]
    public async Task A_trainer_whose_parent_is_gone_ends_by_itself()
    {
        var start = new ProcessStartInfo(TrainerFolder.Trainer, [_folder.WriteJob(TrainerFolder.Request(steps: 1_000_000)), "--attached"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        while (await process.StandardOutput.ReadLineAsync(Cancel) is { } line && !line.Contains("\"progress\"", StringComparison.Ordinal))
        {
        }

        process.StandardInput.Close(); // what the system does when the parent dies
        await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);

        Assert.Equal(TrainerExit.Paused, process.ExitCode);
        Assert.StartsWith("spare-", await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_trainer_is_told_from_one_that_failed()
    {
        var pid = 0;
        var process = new TrainerProcess(TrainerFolder.Trainer, TimeProvider.System);

        var end = await process.RunAsync(
            _folder.WriteJob(TrainerFolder.Request(steps: 1_000_000)),
            1,
            happened =>
            {
                pid = happened is TrainerHello hello ? hello.ProcessId : pid;
                if (happened is TrainerProgress)
                {
                    Process.GetProcessById(pid).Kill();
                }
            },
            () => null,
            Cancel);

        Assert.Equal((128 + 9, null), (end.ExitCode, end.Last));
    }

    public void Dispose() => _folder.Dispose();

    private static void CancelAt<T>(TrainerEvent happened, CancellationTokenSource cancel)
    {
        if (happened is T)
        {
            cancel.Cancel();
        }
    }

    /// <summary>Compares the graph of a folder's weights with what the trainer recorded.</summary>
    private async Task<(ParityView Parity, ContinuationView Continued)> ParityAsync(string model)
    {
        await using var served = new GraphProbe(WriteGraph(model));
        return await ParityGate.MeasureAsync(served, _folder.Result, Cancel);
    }

    private ServingGraph WriteGraph(string model)
    {
        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(model, "config.json")), "config.json");
        var architecture = Architectures.Of(json);
        using var weights = SafetensorsFile.Open(Path.Combine(model, "model.safetensors"));
        return (ServingGraph)architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, Directory.CreateDirectory(Path.Combine(_folder.Path, $"graph-{Guid.NewGuid():n}")).FullName, Cancel);
    }

    private async Task<byte[]> WeightsAsync(TrainingRequest request)
    {
        var (end, _) = await _folder.RunAsync(request, Cancel);
        Assert.Equal(TrainerExit.Done, end.ExitCode);
        return await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "model.safetensors"), Cancel);
    }

    private async Task<List<double>> LossesAsync(TrainingRequest request)
    {
        var (end, _) = await _folder.RunAsync(request, Cancel);
        Assert.Equal(TrainerExit.Done, end.ExitCode);
        using var history = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "training.json"), Cancel));
        return [.. history.RootElement.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("loss").GetDouble())];
    }
}
