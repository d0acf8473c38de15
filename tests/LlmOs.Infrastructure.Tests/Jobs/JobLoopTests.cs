using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>A host's loop with scripted runners, on real databases and in real time.</summary>
public class JobLoopTests(TestDatabases databases)
{
    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_job_runs_and_its_result_is_published_with_it(Provider provider)
    {
        await using var host = await HostAsync(provider, new Script(async (job, cancel) =>
        {
            job.Report(0.5, Codes.Say("half"), new Dictionary<string, double> { ["loss"] = 2.5, ["bad"] = double.NaN });
            await File.WriteAllTextAsync(Path.Combine(job.ScratchFolder, "work"), "x", cancel);
            return Publications.Publish(job.SpecAs<ScriptSpec>().Name);
        }));

        var job = await host.FinishAsync(await host.SubmitAsync("made"));

        Assert.Equal(JobState.Succeeded, job.State);
        Assert.Equal("made", job.Result?.GetProperty("name").GetString());
        Assert.Equal(2.5, job.Metrics.GetProperty("loss").GetDouble());
        Assert.False(job.Metrics.TryGetProperty("bad", out _));
        Assert.Equal(["made"], await host.PublishedAsync());
        await host.StopAsync();
        Assert.Empty(Directory.GetDirectories(host.Folder.Scratch));
        Assert.Empty(Directory.GetDirectories(host.Folder.Jobs));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_refusal_becomes_the_job_s_error_and_a_retry_publishes_once(Provider provider)
    {
        await using var host = await HostAsync(provider, new Script((job, _) => job.Attempt == 1
            ? throw new LlmOsException(ErrorCode.CorruptFile, "The file ends early.") { Detail = "at byte 12", Hint = "Copy it again." }
            : Task.FromResult(Publications.Publish("made"))));

        var failed = await host.FinishAsync(await host.SubmitAsync("made"));
        Assert.Equal(JobState.Failed, failed.State);
        Assert.Equal(new JobError("corrupt_file", "The file ends early.", "at byte 12", "Copy it again."), failed.Error);
        Assert.Empty(await host.PublishedAsync());

        await host.ChangeAsync(failed.Id, job => job.Retry());
        var done = await host.FinishAsync(failed.Id);

        Assert.Equal((JobState.Succeeded, 2), (done.State, done.Attempt));
        Assert.Null(done.Error);
        Assert.Equal(["made"], await host.PublishedAsync());
    }

    [Fact]
    public async Task A_fault_of_the_code_shows_no_trace()
    {
        await using var host = await HostAsync(Provider.Sqlite, new Script((_, _) => throw new InvalidOperationException("secret detail")));

        var job = await host.FinishAsync(await host.SubmitAsync("x"));

        Assert.Equal("internal_error", job.Error?.Code);
        Assert.DoesNotContain("secret detail", $"{job.Error} {job.Message}", StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_cancelled_run_stops_and_publishes_nothing(Provider provider)
    {
        var script = new Script(async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return Publications.Publish("never");
        });
        await using var host = await HostAsync(provider, script);
        var id = await host.SubmitAsync("x");
        await script.Started;

        await host.ChangeAsync(id, job => job.Cancel(DateTimeOffset.UnixEpoch));
        var job = await host.FinishAsync(id);

        Assert.Equal(JobState.Cancelled, job.State);
        Assert.Empty(await host.PublishedAsync());
    }

    [Fact]
    public async Task A_runner_that_ignores_its_cancellation_publishes_nothing_either()
    {
        var release = new TaskCompletionSource();
        var script = new Script(async (_, _) =>
        {
            await release.Task;
            return Publications.Publish("too late");
        });
        await using var host = await HostAsync(Provider.Sqlite, script);
        var id = await host.SubmitAsync("x");
        await script.Started;
        await host.ChangeAsync(id, job => job.Cancel(DateTimeOffset.UnixEpoch));
        await script.Stopped;
        release.SetResult();

        Assert.Equal(JobState.Cancelled, (await host.FinishAsync(id)).State);
        Assert.Empty(await host.PublishedAsync());
    }

    [Fact]
    public async Task A_paused_run_leaves_a_checkpoint_from_which_it_goes_on()
    {
        var script = new Script(async (job, cancel) =>
        {
            var checkpoint = Path.Combine(job.CheckpointFolder, "step");
            if (File.Exists(checkpoint))
            {
                return Publications.Publish($"from {await File.ReadAllTextAsync(checkpoint, cancel)}");
            }

            try
            {
                await Task.Delay(Timeout.Infinite, cancel);
            }
            catch (OperationCanceledException) when (job.StopReason == JobStop.Pause)
            {
                await File.WriteAllTextAsync(checkpoint, "step 7", CancellationToken.None);
                throw;
            }

            return Publications.Publish("never");
        })
        { Pausable = true };
        await using var host = await HostAsync(Provider.Sqlite, script);
        var id = await host.SubmitAsync("x");
        await script.Started;

        await host.ChangeAsync(id, job => job.Pause(kindCanPause: true));
        await host.UntilAsync(id, JobState.Paused);
        await host.ChangeAsync(id, job => job.Resume());
        await host.FinishAsync(id);

        Assert.Equal(["from step 7"], await host.PublishedAsync());
    }

    [Theory]
    [InlineData(true, JobState.Queued)]
    [InlineData(false, JobState.Failed)]
    public async Task A_host_that_stops_gives_its_jobs_back_or_fails_what_cannot_be_repeated(bool repeatable, JobState expected)
    {
        var script = new Script(async (_, cancel) =>
        {
            await Task.Delay(Timeout.Infinite, cancel);
            return Publications.Publish("never");
        })
        { Repeatable = repeatable };
        await using var host = await HostAsync(Provider.Sqlite, script);
        var id = await host.SubmitAsync("x");
        await script.Started;

        host.Drain.Begin();
        await host.StopAsync();

        // When the host has stopped, nothing of it is under way any more: read once, not waited for.
        Assert.Equal(expected, (await host.FindAsync(id)).State);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_passing_failure_is_tried_again_and_the_log_tells_of_it(Provider provider)
    {
        await using var host = await HostAsync(provider, new Script((job, _) =>
        {
            job.Log(JobLogLevel.Info, Codes.Say($"try {job.Attempt} \0 \ud800"));
            return job.Attempt < 3
                ? throw new LlmOsException(ErrorCode.Unavailable, "The hub is away.")
                : Task.FromResult(Publications.Publish("made"));
        }));

        var job = await host.FinishAsync(await host.SubmitAsync("x"));

        Assert.Equal((JobState.Succeeded, 3), (job.State, job.Attempt));
        Assert.Equal(
            ["try 1 \ufffd \ufffd", "unavailable: The hub is away.", "try 2 \ufffd \ufffd", "unavailable: The hub is away.", "try 3 \ufffd \ufffd"],
            await host.LogAsync(job.Id));
    }

    [Fact]
    public async Task A_passing_failure_that_does_not_pass_fails_the_job()
    {
        await using var host = await HostAsync(Provider.Sqlite, new Script((_, _) => throw new LlmOsException(ErrorCode.Unavailable, "gone")));

        var job = await host.FinishAsync(await host.SubmitAsync("x"));

        Assert.Equal((JobState.Failed, "unavailable", new JobOptions().MaxAttempts), (job.State, job.Error?.Code, job.Attempt));
    }

    [Fact]
    public async Task A_staged_file_is_in_the_store_with_the_result_and_not_before()
    {
        Blob? blob = null;
        var wasThere = true;
        LoopHost? host = null;
        var script = new Script(async (job, cancel) =>
        {
            using var content = new MemoryStream("kept"u8.ToArray());
            blob = await job.StageAsync(content, cancel);
            wasThere = host!.Store.Contains(blob.Sha256);
            return job.Attempt == 1 ? throw new LlmOsException(ErrorCode.CorruptFile, "no") : Publications.Publish("made");
        });
        await using (host = await HostAsync(Provider.Sqlite, script))
        {
            var failed = await host.FinishAsync(await host.SubmitAsync("x"));
            Assert.False(wasThere || host.Store.Contains(blob!.Sha256));

            await host.ChangeAsync(failed.Id, job => job.Retry());
            Assert.Equal(JobState.Succeeded, (await host.FinishAsync(failed.Id)).State);

            await host.Store.VerifyAsync(blob!.Sha256, CancellationToken.None);
        }
    }

    [Fact]
    public async Task A_job_that_takes_its_hosts_down_is_not_tried_for_ever()
    {
        await using var host = await HostAsync(Provider.Sqlite, new Script((_, _) => Task.FromResult(Publications.Publish("made"))), start: false);
        var id = await host.SubmitAsync("x");
        for (var lost = 0; lost < new JobOptions().MaxAttempts; lost++)
        {
            await host.Leases.ClaimAsync(["made"], CancellationToken.None);
            await using var db = host.Database.CreateDbContext();
            await db.Jobs.ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, DateTimeOffset.UnixEpoch));
        }

        await host.StartAsync();
        var job = await host.FinishAsync(id);

        Assert.Equal((JobState.Failed, "host_lost"), (job.State, job.Error?.Code));
        Assert.Empty(await host.PublishedAsync());
    }

    [Theory]
    [InlineData(JobLane.General, HostRoles.All, 2)]
    [InlineData(JobLane.General, HostRoles.Training, 0)]
    [InlineData(JobLane.Heavy, HostRoles.All, 1)]
    [InlineData(JobLane.Heavy, HostRoles.Api | HostRoles.Inference, 0)]
    public void A_lane_has_turns_where_the_host_has_the_role(JobLane lane, HostRoles roles, int turns) =>
        Assert.Equal(turns, JobLoop.Turns(lane, roles, generalTurns: 2));

    [Fact]
    public async Task Two_jobs_of_the_general_lane_run_at_once_and_a_third_waits()
    {
        var (running, max) = (0, 0);
        var release = new TaskCompletionSource();
        var both = new TaskCompletionSource();
        var script = new Script(async (_, cancel) =>
        {
            var now = Interlocked.Increment(ref running);
            max = Math.Max(max, now);
            if (now == 2)
            {
                both.TrySetResult();
            }

            await release.Task.WaitAsync(cancel);
            Interlocked.Decrement(ref running);
            return Publications.Publish(Guid.NewGuid().ToString("n"));
        });
        await using var host = await HostAsync(Provider.Sqlite, script);
        var ids = new[] { await host.SubmitAsync("a"), await host.SubmitAsync("b"), await host.SubmitAsync("c") };

        await both.Task;
        Assert.Equal(JobState.Queued, (await host.FindAsync(ids[2])).State);
        release.SetResult();
        foreach (var id in ids)
        {
            Assert.Equal(JobState.Succeeded, (await host.FinishAsync(id)).State);
        }

        Assert.Equal(2, max);
    }

    private async Task<LoopHost> HostAsync(Provider provider, Script script, bool start = true)
    {
        var host = new LoopHost(await databases.NewAsync(provider), script);
        if (start)
        {
            await host.StartAsync();
        }

        return host;
    }
}
