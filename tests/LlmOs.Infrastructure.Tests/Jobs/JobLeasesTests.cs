using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Jobs;

public sealed class JobLeasesTests : IDisposable
{
    private static readonly string[] Import = ["import"];
    private static readonly JobNews Standing = new(new JobStanding(0.5, Codes.Line("half"), "{}", null), []);
    private static readonly JobOptions Rules = new();
    private static readonly TimeSpan Lease = Rules.Lease;
    private readonly TestDatabases _databases;
    private readonly FakeClock _clock = new();
    private readonly SharedClock _shared;
    private readonly TempFolder _temp = new();

    public JobLeasesTests(TestDatabases databases) => (_databases, _shared) = (databases, new SharedClock(_clock));

    public void Dispose() => _temp.Dispose();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Each_job_is_claimed_exactly_once_by_several_contenders(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        const int Jobs = 60;
        await using (var db = database.CreateDbContext())
        {
            db.AddRange(Enumerable.Range(0, Jobs).Select(_ => Job.Submit("import", "{}", 0, _clock.GetUtcNow())));
            await db.SaveChangesAsync();
        }

        var claimed = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            var host = Host(database);
            var mine = new List<string>();
            while (await host.ClaimAsync(Import, CancellationToken.None) is { } job)
            {
                Assert.Equal(1, job.Attempt);
                mine.Add(job.Id);
            }

            return mine;
        }));

        Assert.Equal(Jobs, claimed.Sum(c => c.Count));
        Assert.Equal(Jobs, claimed.SelectMany(c => c).Distinct().Count());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Only_kinds_with_a_runner_are_claimed_and_the_oldest_first(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "training");
        var first = await SubmitAsync(database, "import");
        await SubmitAsync(database, "import");

        var claimed = await Host(database).ClaimAsync(Import, CancellationToken.None);

        Assert.Equal(first, claimed?.Id);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_silent_host_s_job_goes_to_another_and_what_it_still_publishes_is_refused(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var (stale, fresh) = (Host(database), Host(database));
        var first = (await stale.ClaimAsync(Import, CancellationToken.None))!;
        Assert.Null(await fresh.ClaimAsync(Import, CancellationToken.None));

        await PassAsync(database, Lease + TimeSpan.FromSeconds(1));
        var second = (await fresh.ClaimAsync(Import, CancellationToken.None))!;

        Assert.Equal(2, second.Attempt);
        Assert.Null(await stale.RenewAsync(first, Standing, CancellationToken.None));
        Assert.Null(await stale.RequestsAsync(first, CancellationToken.None));
        Assert.False(await stale.PublishAsync(first, Standing, Publications.Publish("stale"), CancellationToken.None));
        Assert.False(await stale.FailAsync(first, Standing, new JobError("internal_error", "x", null, null), CancellationToken.None));
        Assert.True(await fresh.PublishAsync(second, Standing, Publications.Publish("fresh"), CancellationToken.None));
        Assert.Equal(["fresh"], await Publications.OfAsync(database));
        Assert.Equal(JobState.Succeeded, (await FindAsync(database, first.Id)).State);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task An_earlier_attempt_of_the_same_host_is_fenced_off_too(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        var first = (await host.ClaimAsync(Import, CancellationToken.None))!;
        await PassAsync(database, Lease + TimeSpan.FromSeconds(1));
        await host.ClaimAsync(Import, CancellationToken.None);

        Assert.False(await host.PublishAsync(first, Standing, Publications.Publish("stale"), CancellationToken.None));
        Assert.Empty(await Publications.OfAsync(database));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_renewed_lease_keeps_others_away(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var (holder, other) = (Host(database), Host(database));
        var job = (await holder.ClaimAsync(Import, CancellationToken.None))!;

        await PassAsync(database, Lease - TimeSpan.FromSeconds(1));
        Assert.NotNull(await holder.RenewAsync(job, null, CancellationToken.None));
        await PassAsync(database, Lease - TimeSpan.FromSeconds(1));

        Assert.Null(await other.ClaimAsync(Import, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_publication_that_fails_writes_nothing_and_leaves_the_job_running(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;

        await Assert.ThrowsAsync<LlmOsException>(() => host.PublishAsync(
            job,
            Standing,
            async (db, cancel) =>
            {
                await Publications.Publish("half")(db, cancel);
                await db.SaveChangesAsync(cancel);
                throw new LlmOsException(ErrorCode.Conflict, "no");
            },
            CancellationToken.None));

        Assert.Empty(await Publications.OfAsync(database));
        Assert.Equal(JobState.Running, (await FindAsync(database, job.Id)).State);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_job_counts_the_hosts_it_lost_and_a_release_is_no_loss(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        await host.ClaimAsync(Import, CancellationToken.None);
        await PassAsync(database, Lease + TimeSpan.FromSeconds(1));
        var second = (await host.ClaimAsync(Import, CancellationToken.None))!;
        await host.ReleaseAsync(second, Standing, CancellationToken.None);

        var third = (await host.ClaimAsync(Import, CancellationToken.None))!;

        Assert.Equal(3, third.Attempt);
        Assert.Equal(1, third.LostAttempts);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task What_was_asked_of_a_running_job_reaches_its_host(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        var id = await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;
        await using (var db = database.CreateDbContext())
        {
            (await db.Jobs.SingleAsync(j => j.Id == id)).Cancel(_clock.GetUtcNow());
            await db.SaveChangesAsync();
        }

        var requests = await host.RequestsAsync(job, CancellationToken.None);

        Assert.Equal(new JobRequests(Cancel: true, Pause: false), requests);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_history_tells_each_step(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        var id = await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;
        await host.RenewAsync(job, new JobNews(new JobStanding(0.5, Codes.Line("half"), """{"loss":2.5}""", null), [new JobLogEntry(JobLogLevel.Warning, Codes.Line("look"), _clock.GetUtcNow())]), CancellationToken.None);
        await host.PublishAsync(job, Standing, Publications.Publish("x"), CancellationToken.None);

        using var drain = new HostDrain();
        var lines = await new JobWatch(database, new JobSignal(), Codes.NoBlobs(_temp), drain, _clock).LinesAsync(id, 0, 100, CancellationToken.None);

        Assert.Equal([JobState.Queued, JobState.Running, JobState.Running, JobState.Succeeded], lines.Select(l => l.State));
        Assert.Equal(2.5, lines[2].Metrics.GetProperty("loss").GetDouble());
        Assert.Equal(1, lines[3].Progress);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_stale_attempt_adds_no_line_to_history_or_log(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        var id = await SubmitAsync(database, "import");
        var (stale, fresh) = (Host(database), Host(database));
        var first = (await stale.ClaimAsync(Import, CancellationToken.None))!;
        await PassAsync(database, Lease + TimeSpan.FromSeconds(1));
        await fresh.ClaimAsync(Import, CancellationToken.None);

        var told = await stale.RenewAsync(first, new JobNews(new JobStanding(0.9, Codes.Line("stale"), "{}", null), [new JobLogEntry(JobLogLevel.Info, Codes.Line("stale"), _clock.GetUtcNow())]), CancellationToken.None);

        Assert.Null(told);
        await using var db = database.CreateDbContext();
        Assert.Equal(0, await db.JobEvents.CountAsync(e => e.JobId == id && e.Message == "stale"));
        Assert.Equal(0, await db.JobLogs.CountAsync(l => l.JobId == id));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Higher_priority_goes_first_and_a_job_waits_for_those_it_comes_after(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        var queue = new JobQueue(database, _clock, new JobSignal(), Codes.NoBlobs(_temp));
        var plain = (await queue.SubmitAsync("import", null, new { }, 0, [], CancellationToken.None)).Id;
        var urgent = (await queue.SubmitAsync("import", null, new { }, 5, [], CancellationToken.None)).Id;
        var last = (await queue.SubmitAsync("import", null, new { }, 50, [plain, urgent], CancellationToken.None)).Id;
        var host = Host(database);

        var first = (await host.ClaimAsync(Import, CancellationToken.None))!;
        var second = (await host.ClaimAsync(Import, CancellationToken.None))!;
        Assert.Null(await host.ClaimAsync(Import, CancellationToken.None));
        await host.PublishAsync(first, Standing, Publications.Publish("1"), CancellationToken.None);
        Assert.Null(await host.ClaimAsync(Import, CancellationToken.None));
        await host.PublishAsync(second, Standing, Publications.Publish("2"), CancellationToken.None);

        Assert.Equal([urgent, plain, last], new[] { first.Id, second.Id, (await host.ClaimAsync(Import, CancellationToken.None))?.Id });
        Assert.Equal([plain, urgent], (await queue.GetAsync(last, CancellationToken.None)).After.Order(StringComparer.Ordinal).OrderBy(a => a == urgent));
    }

    [Fact]
    public async Task Nothing_comes_after_a_job_that_is_unknown_or_did_not_succeed()
    {
        var database = await _databases.NewAsync(Provider.Sqlite);
        var queue = new JobQueue(database, _clock, new JobSignal(), Codes.NoBlobs(_temp));
        var failed = await SubmitAsync(database, "import");
        var host = Host(database);
        await host.FailAsync((await host.ClaimAsync(Import, CancellationToken.None))!, Standing, new JobError("corrupt_file", "x", null, null), CancellationToken.None);

        var unknown = await Assert.ThrowsAsync<LlmOsException>(() => queue.SubmitAsync("import", null, new { }, 0, ["job_none"], CancellationToken.None));
        var late = await Assert.ThrowsAsync<LlmOsException>(() => queue.SubmitAsync("import", null, new { }, 0, [failed], CancellationToken.None));

        Assert.Equal((ErrorCode.InvalidRequest, "after[0]"), (unknown.Code, unknown.Field));
        Assert.Equal((ErrorCode.Conflict, "after[0]"), (late.Code, late.Field));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_job_that_gets_on_between_two_losses_is_not_counted_out(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var losses = new List<int>();
        foreach (var reached in new[] { 0.2, 0.2, 0.1, 0.4, 0.4 })
        {
            var host = Host(database);
            var job = (await host.ClaimAsync(Import, CancellationToken.None))!;
            losses.Add(job.LostAttempts);
            await host.RenewAsync(job, new JobNews(new JobStanding(reached, Codes.Line("on"), "{}", null), []), CancellationToken.None);
            await PassAsync(database, Lease + TimeSpan.FromSeconds(1));
        }

        // Before the runs: none; 0.2 is new ground (1); 0.2 again (2); 0.1 is less (3); 0.4 is new ground (1).
        Assert.Equal([0, 1, 2, 3, 1], losses);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_postponed_job_waits_for_its_time(Provider provider)
    {
        var database = await _databases.NewAsync(provider);
        var id = await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;

        await host.PostponeAsync(job, Standing, new JobBackoff(1, 0.5, TimeSpan.FromSeconds(2)), new JobError("unavailable", "The hub is away.", null, null), CancellationToken.None);

        Assert.Null(await host.ClaimAsync(Import, CancellationToken.None));
        var waiting = await FindAsync(database, id);
        Assert.Equal((JobState.Queued, 1, "trying again: The hub is away."), (waiting.State, waiting.Failures, waiting.Message));
        await PassAsync(database, TimeSpan.FromSeconds(3));
        Assert.Equal(2, (await host.ClaimAsync(Import, CancellationToken.None))?.Attempt);
    }

    [Fact]
    public async Task A_claim_that_is_cut_off_is_whole_or_has_not_been_made()
    {
        for (var cut = 1; cut <= 6; cut++)
        {
            var database = await _databases.NewAsync(Provider.Sqlite);
            var id = await SubmitAsync(database, "import");
            using var stop = new CancellationTokenSource();
            var clock = new CuttingClock(_clock, cut, stop);
            var host = new JobLeases(database, new NodeIdentity(), new SharedClock(clock), clock, new JobSignal(), Options.Create(Rules));

            Job? claimed = null;
            try
            {
                claimed = await host.ClaimAsync(Import, stop.Token);
            }
            catch (OperationCanceledException)
            {
                // Cut off: then nobody holds the job.
            }

            var job = await FindAsync(database, id);
            Assert.Equal(claimed is null ? JobState.Queued : JobState.Running, job.State);
            Assert.Equal(claimed is null ? 0 : 1, job.Attempt);
        }
    }

    private JobLeases Host(TestDatabase database) => new(database, new NodeIdentity(), _shared, _clock, new JobSignal(), Options.Create(Rules));

    /// <summary>Lets time pass for all hosts. On PostgreSQL, whose clock nobody sets, what was to come comes that much earlier.</summary>
    private async Task PassAsync(TestDatabase database, TimeSpan time)
    {
        _clock.Advance(time);
        await using var db = database.CreateDbContext();
        if (db.IsPostgres)
        {
            await db.Database.ExecuteSqlAsync($"update jobs set lease_until = lease_until - {time}, run_after = run_after - {time}");
        }
    }

    private async Task<string> SubmitAsync(TestDatabase database, string kind) =>
        (await new JobQueue(database, _clock, new JobSignal(), Codes.NoBlobs(_temp)).SubmitAsync(kind, null, new { }, 0, [], CancellationToken.None)).Id;

    private static async Task<Job> FindAsync(TestDatabase database, string id)
    {
        await using var db = database.CreateDbContext();
        return await db.Jobs.SingleAsync(j => j.Id == id);
    }
}
