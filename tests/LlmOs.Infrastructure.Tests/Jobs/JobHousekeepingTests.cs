using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Jobs;

public sealed class JobHousekeepingTests(TestDatabases databases) : IDisposable
{
    private static readonly IOptions<JobOptions> Rules = Options.Create(new JobOptions { KeepDays = 30 });
    private static readonly JobNews Nothing = new(null, []);
    private readonly FakeClock _clock = new();
    private readonly JobSignal _signal = new();
    private readonly TempFolder _temp = new();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Who_waits_for_a_job_that_failed_fails_too_and_so_do_those_behind(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var (first, second, third) = await ChainAsync(database);
        await EndAsync(database, first, succeed: false);
        var keeper = Keeper(database);

        await keeper.FailVainWaitersAsync(CancellationToken.None);
        await keeper.FailVainWaitersAsync(CancellationToken.None);

        foreach (var (id, before) in new[] { (second, first), (third, second) })
        {
            var job = await new JobQueue(database, _clock, _signal, Codes.NoBlobs(_temp)).GetAsync(id, CancellationToken.None);
            Assert.Equal((JobState.Failed, "dependency_failed"), (job.State, job.Error?.Code));
            Assert.Contains(before, job.Error!.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Ended_jobs_are_forgotten_after_their_days_unless_one_waits_for_them(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var lone = await SubmitAsync(database);
        await EndAsync(database, lone, succeed: false);
        var (first, second, _) = await ChainAsync(database);
        await EndAsync(database, first, succeed: true);
        await EndAsync(database, second, succeed: true);
        var keeper = Keeper(database);

        _clock.Advance(TimeSpan.FromDays(29));
        await keeper.ForgetAsync(CancellationToken.None);
        Assert.Equal(4, await CountAsync(database));

        _clock.Advance(TimeSpan.FromDays(2));
        await keeper.ForgetAsync(CancellationToken.None);

        // The third still waits for the second; nobody waits for the others.
        await using var db = database.CreateDbContext();
        Assert.Equal(2, await CountAsync(database));
        Assert.True(await db.Jobs.AnyAsync(j => j.Id == second));
        Assert.Equal(0, await db.JobEvents.CountAsync(e => e.JobId == first || e.JobId == lone));
        Assert.Equal(0, await db.JobLogs.CountAsync(l => l.JobId == lone));
        Assert.NotEqual(0, await db.JobEvents.CountAsync(e => e.JobId == second));
    }

    [Fact]
    public async Task Folders_of_runs_that_are_over_go_and_those_that_are_wanted_stay()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var folder = new DataFolder(_temp.At("data"));
        var (running, ended) = (await SubmitAsync(database), await SubmitAsync(database));
        var host = Host(database);
        Assert.Equal(running, (await host.ClaimAsync(["import"], CancellationToken.None))?.Id);
        await EndAsync(database, ended, succeed: true);
        string[] wanted = [Path.Combine(folder.Scratch, $"{running}-1"), Path.Combine(folder.Jobs, running), Path.Combine(folder.Scratch, "upload")];
        string[] unwanted = [Path.Combine(folder.Scratch, $"{running}-0"), Path.Combine(folder.Scratch, $"{ended}-1"), Path.Combine(folder.Jobs, ended), Path.Combine(folder.Jobs, "job_unknown")];
        foreach (var path in wanted.Concat(unwanted))
        {
            Directory.CreateDirectory(path);
            Directory.SetLastWriteTimeUtc(path, (_clock.GetUtcNow() - TimeSpan.FromHours(1)).UtcDateTime);
        }

        var young = Directory.CreateDirectory(Path.Combine(folder.Scratch, $"{ended}-2")).FullName;
        Directory.SetLastWriteTimeUtc(young, _clock.GetUtcNow().UtcDateTime);

        await new JobHousekeeping(database, folder, _signal, Rules, _clock, NullLogger<JobHousekeeping>.Instance).SweepFoldersAsync(CancellationToken.None);

        Assert.All(wanted.Append(young), path => Assert.True(Directory.Exists(path), path));
        Assert.All(unwanted, path => Assert.False(Directory.Exists(path), path));
    }

    private JobHousekeeping Keeper(TestDatabase database) =>
        new(database, new DataFolder(_temp.At("data")), _signal, Rules, _clock, NullLogger<JobHousekeeping>.Instance);

    private JobLeases Host(TestDatabase database) => new(database, new NodeIdentity(), new SharedClock(_clock), _clock, _signal, Rules);

    private async Task<string> SubmitAsync(TestDatabase database, params IReadOnlyList<string> after) =>
        (await new JobQueue(database, _clock, _signal, Codes.NoBlobs(_temp)).SubmitAsync("import", null, new { }, 0, after, CancellationToken.None)).Id;

    /// <summary>Three jobs, each after the one before.</summary>
    private async Task<(string First, string Second, string Third)> ChainAsync(TestDatabase database)
    {
        var first = await SubmitAsync(database);
        var second = await SubmitAsync(database, first);
        return (first, second, await SubmitAsync(database, second));
    }

    private async Task EndAsync(TestDatabase database, string id, bool succeed)
    {
        var host = Host(database);
        var job = (await host.ClaimAsync(["import"], CancellationToken.None))!;
        Assert.Equal(id, job.Id);
        var last = Nothing with { Lines = [new JobLogEntry(JobLogLevel.Info, Codes.Line("ended"), _clock.GetUtcNow())] };
        Assert.True(succeed
            ? await host.PublishAsync(job, last, (_, _) => Task.FromResult<object>(new { }), CancellationToken.None)
            : await host.FailAsync(job, last, new JobError("corrupt_file", "x", null, null), CancellationToken.None));
    }

    private static async Task<int> CountAsync(TestDatabase database)
    {
        await using var db = database.CreateDbContext();
        return await db.Jobs.CountAsync();
    }
}
