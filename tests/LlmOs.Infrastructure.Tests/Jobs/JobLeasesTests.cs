using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Jobs;

public class JobLeasesTests(TestDatabases databases)
{
    private static readonly string[] Import = ["import"];
    private static readonly JobStanding Standing = new(0.5, "half", "{}", null);
    private readonly FakeClock _clock = new();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Each_job_is_claimed_exactly_once_by_several_contenders(Provider provider)
    {
        var database = await databases.NewAsync(provider);
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
        var database = await databases.NewAsync(provider);
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
        var database = await databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var (stale, fresh) = (Host(database), Host(database));
        var first = (await stale.ClaimAsync(Import, CancellationToken.None))!;
        Assert.Null(await fresh.ClaimAsync(Import, CancellationToken.None));

        _clock.Advance(JobLeases.Length + TimeSpan.FromSeconds(1));
        var second = (await fresh.ClaimAsync(Import, CancellationToken.None))!;

        Assert.Equal(2, second.Attempt);
        Assert.Null(await stale.RenewAsync(first, Standing, CancellationToken.None));
        Assert.Null(await stale.RequestsAsync(first, CancellationToken.None));
        Assert.False(await stale.PublishAsync(first, Standing, Publish("stale"), CancellationToken.None));
        Assert.False(await stale.FailAsync(first, Standing, new JobError("internal_error", "x", null, null), CancellationToken.None));
        Assert.True(await fresh.PublishAsync(second, Standing, Publish("fresh"), CancellationToken.None));
        Assert.Equal(["fresh"], await PublishedAsync(database));
        Assert.Equal(JobState.Succeeded, (await FindAsync(database, first.Id)).State);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task An_earlier_attempt_of_the_same_host_is_fenced_off_too(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        var first = (await host.ClaimAsync(Import, CancellationToken.None))!;
        _clock.Advance(JobLeases.Length + TimeSpan.FromSeconds(1));
        await host.ClaimAsync(Import, CancellationToken.None);

        Assert.False(await host.PublishAsync(first, Standing, Publish("stale"), CancellationToken.None));
        Assert.Empty(await PublishedAsync(database));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_renewed_lease_keeps_others_away(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var (holder, other) = (Host(database), Host(database));
        var job = (await holder.ClaimAsync(Import, CancellationToken.None))!;

        _clock.Advance(JobLeases.Length - TimeSpan.FromSeconds(1));
        Assert.NotNull(await holder.RenewAsync(job, null, CancellationToken.None));
        _clock.Advance(JobLeases.Length - TimeSpan.FromSeconds(1));

        Assert.Null(await other.ClaimAsync(Import, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_publication_that_fails_writes_nothing_and_leaves_the_job_running(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;

        await Assert.ThrowsAsync<LlmOsException>(() => host.PublishAsync(
            job,
            Standing,
            async (db, cancel) =>
            {
                await Publish("half")(db, cancel);
                await db.SaveChangesAsync(cancel);
                throw new LlmOsException(ErrorCode.Conflict, "no");
            },
            CancellationToken.None));

        Assert.Empty(await PublishedAsync(database));
        Assert.Equal(JobState.Running, (await FindAsync(database, job.Id)).State);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_job_counts_the_hosts_it_lost_and_a_release_is_no_loss(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await SubmitAsync(database, "import");
        var host = Host(database);
        await host.ClaimAsync(Import, CancellationToken.None);
        _clock.Advance(JobLeases.Length + TimeSpan.FromSeconds(1));
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
        var database = await databases.NewAsync(provider);
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
        var database = await databases.NewAsync(provider);
        var id = await SubmitAsync(database, "import");
        var host = Host(database);
        var job = (await host.ClaimAsync(Import, CancellationToken.None))!;
        await host.RenewAsync(job, Standing with { Metrics = """{"loss":2.5}""" }, CancellationToken.None);
        await host.PublishAsync(job, Standing with { Message = "done" }, Publish("x"), CancellationToken.None);

        using var drain = new HostDrain();
        var lines = await new JobWatch(database, new JobSignal(), drain, _clock).LinesAsync(id, 0, 100, CancellationToken.None);

        Assert.Equal([JobState.Running, JobState.Running, JobState.Succeeded], lines.Select(l => l.State));
        Assert.Equal(2.5, lines[1].Metrics.GetProperty("loss").GetDouble());
        Assert.Equal(1, lines[2].Progress);
    }

    private JobLeases Host(TestDatabase database) => new(database, new NodeIdentity(), _clock, new JobSignal());

    /// <summary>Writes a row by which the test sees that a result was published.</summary>
    private static JobPublish Publish(string name) => (db, _) =>
    {
        db.Add(new ApiKey { Id = name, Name = name, Prefix = "", Hash = name, Scopes = "", CreatedAt = DateTimeOffset.UnixEpoch });
        return Task.FromResult<object>(new { name });
    };

    private static async Task<List<string>> PublishedAsync(TestDatabase database)
    {
        await using var db = database.CreateDbContext();
        return await db.ApiKeys.Select(k => k.Name).ToListAsync();
    }

    private async Task<string> SubmitAsync(TestDatabase database, string kind) =>
        (await new JobQueue(database, _clock, new JobSignal()).SubmitAsync(kind, new { }, CancellationToken.None)).Id;

    private static async Task<Job> FindAsync(TestDatabase database, string id)
    {
        await using var db = database.CreateDbContext();
        return await db.Jobs.SingleAsync(j => j.Id == id);
    }
}
