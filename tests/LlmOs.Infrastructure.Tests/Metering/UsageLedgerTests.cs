using LlmOs.Contracts;
using LlmOs.Infrastructure.Metering;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace LlmOs.Infrastructure.Tests.Metering;

public sealed class UsageLedgerTests(TestDatabases databases)
{
    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task An_orderly_stop_stores_everything_in_its_order(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var ledger = Ledger(database);
        await ledger.StartAsync(Cancel);

        for (var i = 0; i < 1000; i++)
        {
            await ledger.AddAsync(Record(i));
        }

        await ledger.StopAsync(Cancel);

        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (long)i), await StoredAsync(database));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_flush_returns_when_what_was_added_before_can_be_read(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var ledger = Ledger(database);
        await ledger.StartAsync(Cancel);
        await ledger.AddAsync(Record(7));

        await ledger.FlushAsync(Cancel);

        Assert.Equal([7L], await StoredAsync(database));
        await using var db = database.CreateDbContext();
        Assert.Equal("2026-02-03", (await db.UsageRecords.SingleAsync(Cancel)).Day);
        await ledger.StopAsync(Cancel);
    }

    [Fact]
    public async Task A_database_that_is_away_for_a_while_loses_nothing_and_delays_nobody()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var flaky = new FlakyDatabase(database, failures: 3);
        var ledger = Ledger(flaky);
        await ledger.StartAsync(Cancel);

        await ledger.AddAsync(Record(1));
        await ledger.AddAsync(Record(2));
        await ledger.FlushAsync(Cancel);

        Assert.Equal(3, flaky.Failed);
        Assert.Equal([1L, 2L], await StoredAsync(database));
        await ledger.StopAsync(Cancel);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(UsageLedger.MaxWaiting)]
    public async Task Who_asks_for_sums_while_the_database_takes_nothing_is_told_so(int waiting)
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var ledger = new UsageLedger(database, new HastyClock(), NullLogger<UsageLedger>.Instance); // its writer is not started: nothing is stored
        for (var i = 0; i < waiting; i++)
        {
            await ledger.AddAsync(Record(i));
        }

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ledger.FlushAsync(Cancel));

        Assert.Equal(ErrorCode.Unavailable, refusal.Code);
        Assert.NotNull(refusal.RetryAfter);
    }

    [Fact]
    public async Task A_full_queue_makes_the_next_one_wait_instead_of_dropping_it()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var ledger = Ledger(database);
        for (var i = 0; i < UsageLedger.MaxWaiting; i++)
        {
            await ledger.AddAsync(Record(i));
        }

        var next = ledger.AddAsync(Record(UsageLedger.MaxWaiting));
        Assert.False(next.IsCompleted);

        await ledger.StartAsync(Cancel);
        await next;
        await ledger.StopAsync(Cancel);
        Assert.Equal(UsageLedger.MaxWaiting + 1, (await StoredAsync(database)).Count);
    }

    [Fact]
    public async Task What_ends_after_the_stop_is_stored_all_the_same()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        var ledger = Ledger(database);
        await ledger.StartAsync(Cancel);
        await ledger.StopAsync(Cancel);

        await ledger.AddAsync(Record(5));

        Assert.Equal([5L], await StoredAsync(database));
    }

    private static UsageLedger Ledger(IDbContextFactory<LlmOsDb> database) => new(database, TimeProvider.System, NullLogger<UsageLedger>.Instance);

    private static UsageRecord Record(int tokens) => new()
    {
        CreatedAt = new DateTimeOffset(2026, 2, 3, 23, 30, 0, TimeSpan.Zero),
        Operation = Operations.Chat,
        Model = "starter:1",
        GeneratedTokens = tokens,
    };

    private static async Task<List<long>> StoredAsync(TestDatabase database)
    {
        await using var db = database.CreateDbContext();
        return await db.UsageRecords.OrderBy(r => r.Seq).Select(r => r.GeneratedTokens).ToListAsync(Cancel);
    }

    /// <summary>Whatever is waited for is over at once.</summary>
    private sealed class HastyClock : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, TimeSpan.Zero, period);
    }

    /// <summary>A database that cannot be reached the first times.</summary>
    private sealed class FlakyDatabase(TestDatabase database, int failures) : IDbContextFactory<LlmOsDb>
    {
        public int Failed { get; private set; }

        public LlmOsDb CreateDbContext()
        {
            if (Failed < failures)
            {
                Failed++;
                throw new IOException("away");
            }

            return database.CreateDbContext();
        }
    }
}
