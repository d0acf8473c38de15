using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>Whose clock decides about leases.</summary>
public sealed class JobClockTests(TestDatabases databases)
{
    private static readonly string[] Import = ["import"];
    private static readonly JobNews Standing = new(new JobStanding(0.5, Codes.Line("half"), "{}", null), []);

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    /// <summary>A host whose clock is a minute ahead, and one whose clock is set a day on while it runs.</summary>
    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_wrong_clock_takes_no_living_job(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await using (var db = database.CreateDbContext())
        {
            db.Add(Job.Submit("import", "{}", 0, TimeProvider.System.GetUtcNow()));
            await db.SaveChangesAsync();
        }

        var jumping = new JumpingClock();
        var holder = Host(database, jumping);
        var job = (await holder.ClaimAsync(Import, CancellationToken.None))!;

        jumping.Jump(TimeSpan.FromDays(1));
        var ahead = provider == Provider.Postgres ? Host(database, new JumpingClock(TimeSpan.FromSeconds(60))) : holder; // SQLite has one host
        Assert.Null(await ahead.ClaimAsync(Import, CancellationToken.None));
        Assert.NotNull(await holder.RenewAsync(job, null, CancellationToken.None));
        jumping.Jump(TimeSpan.FromDays(-2));
        Assert.NotNull(await holder.RenewAsync(job, null, CancellationToken.None));
        Assert.Null(await ahead.ClaimAsync(Import, CancellationToken.None));
        Assert.True(await holder.PublishAsync(job, Standing, Publications.Publish("whole"), CancellationToken.None));
    }

    /// <summary>A job of days must not have a history without end.</summary>
    [Fact]
    public void The_longer_a_run_the_fewer_lines_of_history_it_writes()
    {
        var (elapsed, lines) = (TimeSpan.Zero, 0);
        while (elapsed < TimeSpan.FromDays(1))
        {
            elapsed += JobLoop.LineInterval(elapsed);
            lines++;
        }

        Assert.Equal(TimeSpan.FromSeconds(1), JobLoop.LineInterval(TimeSpan.FromMinutes(59)));
        Assert.InRange(lines, 14_000, 16_000); // 86,400 seconds
    }

    private static JobLeases Host(TestDatabase database, TimeProvider clock) =>
        new(database, new NodeIdentity(), new SharedClock(clock), clock, new JobSignal(), Options.Create(new JobOptions()));
}
