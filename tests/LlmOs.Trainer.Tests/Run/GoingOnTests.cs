using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>A training that was stopped goes on from its checkpoint, and ends with the bytes it would have ended with.</summary>
public sealed class GoingOnTests : IDisposable
{
    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("f32", 1)]
    [InlineData("bf16", 2)]
    public async Task A_pause_changes_nothing_in_the_result(string precision, int threads)
    {
        var request = TrainerFolder.Request(steps: 40) with { Precision = precision, Threads = threads, CheckpointEvery = 15, ValidateEvery = 7 };
        var (weights, history) = await StraightAsync(request);

        _folder.Clear();
        var job = _folder.JobOf(request);
        var before = await TrainerFolder.PauseAsync(job, e => e is TrainerProgress { Step: >= 4 });
        var (exit, after) = await TrainerFolder.GoOnAsync(job with { Turn = 2 });

        Assert.Equal(TrainerExit.Done, exit);
        Assert.InRange(before.OfType<TrainerProgress>().Last().Step, 4, 39); // the pause took the memory away in the middle
        Assert.Contains(after.OfType<TrainerStage>(), s => s.Code == TrainingCodes.GoingOn.Word);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
        Assert.Equal(history, await HistoryAsync());
    }

    [Fact]
    public async Task A_damaged_checkpoint_is_passed_over_for_the_one_before()
    {
        var request = TrainerFolder.Request(steps: 30) with { CheckpointEvery = 10, Validation = 0 };
        var (weights, _) = await StraightAsync(request);

        // As a power cut may leave it on a disk that promises more than it keeps.
        var newest = Path.Combine(_folder.Checkpoints, "step-00000030", "optimizer.safetensors");
        var bytes = await File.ReadAllBytesAsync(newest, Cancel);
        bytes[^100] ^= 1;
        await File.WriteAllBytesAsync(newest, bytes, Cancel);
        Directory.Delete(_folder.Result, recursive: true);
        var (exit, events) = await TrainerFolder.GoOnAsync(_folder.JobOf(request) with { Turn = 2 });

        Assert.Equal(TrainerExit.Done, exit);
        Assert.Contains(events.OfType<TrainerWarning>(), w => w.Code == TrainingCodes.CheckpointDamaged.Word && w.Arguments.GetProperty("checkpoint").GetString() == "step-00000030");
        Assert.Contains(events.OfType<TrainerStage>(), s => s.Code == TrainingCodes.GoingOn.Word && s.Arguments.GetProperty("step").GetInt64() == 20);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    [Fact]
    public async Task A_trainer_whose_job_another_one_has_taken_over_ends_and_writes_nothing()
    {
        var job = _folder.JobOf(TrainerFolder.Request(steps: 1_000_000) with { CheckpointEvery = 1_000_000 });
        var claimed = false;

        var (exit, events) = await TrainerFolder.GoOnAsync(job, (happened, _) =>
        {
            if (happened is TrainerProgress && !claimed)
            {
                claimed = true;
                File.WriteAllText(Path.Combine(_folder.Work, "turn"), "2");
            }
        });

        Assert.Equal(TrainerExit.Cancelled, exit);
        Assert.DoesNotContain(events, e => e is TrainerCompleted or TrainerFailed);
        Assert.False(Directory.Exists(_folder.Checkpoints));
        var (late, _) = await TrainerFolder.GoOnAsync(job); // turn 1 comes back
        Assert.Equal(TrainerExit.Cancelled, late);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<(byte[] Weights, string History)> StraightAsync(TrainingRequest request)
    {
        var (exit, _) = await _folder.RunAsync(request);
        Assert.Equal(TrainerExit.Done, exit);
        return (await WeightsAsync(), await HistoryAsync());
    }

    private Task<byte[]> WeightsAsync() => File.ReadAllBytesAsync(Path.Combine(_folder.Result, "model.safetensors"), Cancel);

    /// <summary>Losses, rates and norms of every step, and the validation losses.</summary>
    private async Task<string> HistoryAsync()
    {
        using var history = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Result, "training.json"), Cancel));
        return history.RootElement.GetProperty("steps").ToString() + history.RootElement.GetProperty("validation");
    }
}
