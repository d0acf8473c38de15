using System.Diagnostics;
using LlmOs.Contracts;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>The trainer as a process, as the server starts it: what it says, what ends it, and what it leaves.</summary>
public sealed class TrainerProcessTests : IDisposable
{
    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_says_who_it_is_trains_with_its_parents_threads_and_gives_the_bytes_of_any_other_process()
    {
        var request = TrainerFolder.Request(steps: 8) with { Threads = 2 };
        var weights = await StraightAsync(request);
        _folder.Clear();

        var (end, events) = await _folder.StartAsync(_folder.JobOf(request), Cancel);

        Assert.Equal((TrainerExit.Done, ""), (end.ExitCode, end.ErrorTail));
        Assert.NotEqual(Environment.ProcessId, Assert.IsType<TrainerHello>(events[0]).ProcessId);
        Assert.Equal(8, Assert.IsType<TrainerCompleted>(events[^1]).Steps);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
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

        var (end, events) = await _folder.StartAsync(_folder.JobOf(request), Cancel);

        Assert.Equal(TrainerExit.Done, end.ExitCode);
        var progress = events.OfType<TrainerProgress>().ToList();
        Assert.Single(progress.Select(p => p.LiveTensors).Distinct());
        var (middle, late) = (Resident(progress, 1_000, 1_400), Resident(progress, 1_600, 2_000));
        Assert.InRange(late / middle, 0, 1.03);

        static double Resident(IEnumerable<TrainerProgress> progress, long from, long to) => progress.Where(p => p.Step >= from && p.Step <= to).Average(p => p.ResidentBytes);
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
        var weights = await StraightAsync(request);
        _folder.Clear();
        var job = _folder.JobOf(request);
        await TrainerFolder.PauseAsync(job, e => e is TrainerCheckpoint);

        var (end, events) = await _folder.StartAsync(job with { Turn = 2 }, Cancel, _folder.Limited("export GLIBC_TUNABLES=glibc.malloc.arena_max=1 DOTNET_GCgen0size=0x1000000\nulimit -d 300000"));

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal("out_of_memory", failed.Code);
        Assert.Matches("^The training ran out of memory: it needed (another [0-9]+ MB|more) beside the [0-9]+ MB it held, and [0-9]+ MB are free\\.$", failed.Message);
        Assert.Equal(TrainerExit.Done, (await TrainerFolder.GoOnAsync(job with { Turn = 3 })).Exit);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    [Fact]
    public async Task A_full_disk_says_what_was_needed_and_leaves_the_earlier_checkpoint_usable()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: limits the size of files through the shell");
        var request = TrainerFolder.Request(steps: 12) with { CheckpointEvery = 4, Validation = 0, Samples = [] };
        var weights = await StraightAsync(request);
        _folder.Clear();
        var job = _folder.JobOf(request);
        await TrainerFolder.PauseAsync(job, e => e is TrainerCheckpoint { Step: 4 });
        var kept = await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel);

        // Files end at 64 KB: the next checkpoint's weights do not fit.
        var (end, events) = await _folder.StartAsync(job with { Turn = 2 }, Cancel, _folder.Limited("export DOTNET_EnableWriteXorExecute=0\ntrap '' XFSZ\nulimit -f 64"));

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        var failed = Assert.IsType<TrainerFailed>(events[^1]);
        Assert.Equal("out_of_disk", failed.Code);
        Assert.Matches("^The checkpoint of step [0-9]+ needs about [0-9]+ MB of disk; [0-9]+ MB are free", failed.Message);
        Assert.Equal(kept, await File.ReadAllTextAsync(Path.Combine(_folder.Checkpoints, "latest"), Cancel));
        Assert.DoesNotContain(Directory.GetDirectories(_folder.Checkpoints), d => d.EndsWith(".tmp", StringComparison.Ordinal));
        Assert.Equal(TrainerExit.Done, (await TrainerFolder.GoOnAsync(job with { Turn = 3 })).Exit);
        Assert.True(TrainerFolder.Same(weights, await WeightsAsync()));
    }

    [Fact]
    public async Task A_job_file_that_cannot_be_read_is_bad_input()
    {
        var file = Path.Combine(_folder.Path, "job.json");
        await File.WriteAllTextAsync(file, "{\"spec\":", Cancel);

        var end = await new TrainerProcess(TrainerFolder.Trainer, TimeProvider.System).RunAsync(file, 1, _ => { }, () => null, Cancel);

        Assert.Equal(TrainerExit.BadInput, end.ExitCode);
        Assert.StartsWith("The job file cannot be read", Assert.IsType<TrainerFailed>(end.Last).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static void CancelAt<T>(TrainerEvent happened, CancellationTokenSource cancel)
    {
        if (happened is T)
        {
            cancel.Cancel();
        }
    }

    private async Task<byte[]> StraightAsync(TrainingRequest request)
    {
        var (exit, _) = await _folder.RunAsync(request);
        Assert.Equal(TrainerExit.Done, exit);
        return await WeightsAsync();
    }

    private Task<byte[]> WeightsAsync() => File.ReadAllBytesAsync(Path.Combine(_folder.Result, "model.safetensors"), Cancel);
}
