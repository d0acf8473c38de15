using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training;

namespace LlmOs.Tools.Tests.Training;

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
        var before = await _folder.PauseAsync(job, e => e is TrainerProgress { Step: >= 4 }, Cancel);
        var (end, after) = await _folder.GoOnAsync(job with { Turn = 2 }, Cancel);

        Assert.Equal((TrainerExit.Done, ""), (end.ExitCode, end.ErrorTail));
        Assert.InRange(before.OfType<TrainerProgress>().Last().Step, 4, 39); // the pause took the memory away in the middle
        Assert.Contains(after.OfType<TrainerStage>(), s => s.Message.StartsWith("going on from the checkpoint of step", StringComparison.Ordinal));
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
        var (end, events) = await _folder.GoOnAsync(_folder.JobOf(request) with { Turn = 2 }, Cancel);

        Assert.Equal(TrainerExit.Done, end.ExitCode);
        Assert.Contains(events.OfType<TrainerWarning>(), w => w.Message.Contains("'step-00000030' is damaged", StringComparison.Ordinal));
        Assert.Contains(events.OfType<TrainerStage>(), s => s.Message == "going on from the checkpoint of step 20");
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    [Fact]
    public async Task A_trainer_whose_job_another_one_has_taken_over_ends_and_writes_nothing()
    {
        var job = _folder.JobOf(TrainerFolder.Request(steps: 1_000_000) with { CheckpointEvery = 1_000_000 });
        var claimed = false;
        var events = new List<TrainerEvent>();
        var file = Path.Combine(_folder.Path, "first.json");
        await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(job, LlmOsJson.Options), Cancel);

        var end = await new TrainerProcess(TrainerFolder.Trainer, TimeProvider.System).RunAsync(
            file,
            1,
            happened =>
            {
                events.Add(happened);
                if (happened is TrainerProgress && !claimed)
                {
                    claimed = true;
                    File.WriteAllText(Path.Combine(_folder.Work, "turn"), "2");
                }
            },
            () => null,
            Cancel);

        Assert.Equal((TrainerExit.Cancelled, null), (end.ExitCode, end.Last));
        Assert.False(Directory.Exists(_folder.Checkpoints));
        var (late, _) = await _folder.GoOnAsync(job, Cancel); // turn 1 comes back
        Assert.Equal(TrainerExit.Cancelled, late.ExitCode);
    }

    [Fact]
    public async Task A_trainer_that_says_nothing_is_ended()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: a shell stands in for a trainer that hangs");
        var script = _folder.Script("hangs.sh", "exec sleep 600");

        var end = await new TrainerProcess(script, TimeProvider.System, silence: TimeSpan.FromMilliseconds(300)).RunAsync("none", 1, _ => { }, () => null, Cancel);

        Assert.Equal((128 + 9, true), (end.ExitCode, end.IsSilent));
    }

    [Fact]
    public async Task Running_out_of_memory_says_what_was_needed_and_the_training_goes_on_where_there_is_more()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: limits the trainer's memory through the shell");

        // The runtime and libtorch need about 220 MB, a pass over 8,192 tokens as much again.
        var request = TrainerFolder.Request(steps: 4) with { BatchTokens = 8192, MicroBatchTokens = 8192, CheckpointEvery = 1, Validation = 0, Samples = [] };
        var (weights, _) = await StraightAsync(request);
        _folder.Clear();
        var job = _folder.JobOf(request);
        await _folder.PauseAsync(job, e => e is TrainerCheckpoint, Cancel);

        var (end, events) = await _folder.GoOnAsync(job with { Turn = 2 }, Cancel, _folder.Limited("export GLIBC_TUNABLES=glibc.malloc.arena_max=1 DOTNET_GCgen0size=0x1000000\nulimit -d 300000"));

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal("out_of_memory", failed.Code);
        Assert.Matches("^The training ran out of memory: it needed (another [0-9]+ MB|more) beside the [0-9]+ MB it held, and [0-9]+ MB are free\\.$", failed.Message);
        Assert.Equal(TrainerExit.Done, (await _folder.GoOnAsync(job with { Turn = 3 }, Cancel)).End.ExitCode);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    [Fact]
    public async Task A_full_disk_says_what_was_needed_and_leaves_the_earlier_checkpoint_usable()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: limits the size of files through the shell");
        var request = TrainerFolder.Request(steps: 12) with { CheckpointEvery = 4, Validation = 0, Samples = [] };
        var (weights, _) = await StraightAsync(request);
        _folder.Clear();
        var job = _folder.JobOf(request);
        await _folder.PauseAsync(job, e => e is TrainerCheckpoint { Step: 4 }, Cancel);
        var kept = await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel);

        // Files end at 64 KB: the next checkpoint's weights do not fit.
        var (end, events) = await _folder.GoOnAsync(job with { Turn = 2 }, Cancel, _folder.Limited("export DOTNET_EnableWriteXorExecute=0\ntrap '' XFSZ\nulimit -f 64"));

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal("out_of_disk", failed.Code);
        Assert.Matches("^The checkpoint of step [0-9]+ needs about [0-9]+ MB of disk; [0-9]+ MB are free", failed.Message);
        Assert.Equal(kept, await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel));
        Assert.DoesNotContain(Directory.GetDirectories(_folder.Checkpoints), d => d.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.Equal(TrainerExit.Done, (await _folder.GoOnAsync(job with { Turn = 3 }, Cancel)).End.ExitCode);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    public void Dispose() => _folder.Dispose();

    private async Task<(byte[] Weights, string History)> StraightAsync(TrainingRequest request)
    {
        var (end, _) = await _folder.RunAsync(request, Cancel);
        Assert.Equal((TrainerExit.Done, ""), (end.ExitCode, end.ErrorTail));
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
