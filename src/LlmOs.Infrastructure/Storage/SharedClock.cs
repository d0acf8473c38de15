using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// The time by which hosts judge each other's leases and signs of life. On PostgreSQL it is the database's, so a host whose
/// clock is wrong takes nothing from the others. On SQLite, where there is one host, it is that host's clock at its start and
/// what has passed since by one that nobody sets.
/// </summary>
public sealed class SharedClock(TimeProvider clock)
{
    private readonly DateTimeOffset _began = clock.GetUtcNow();
    private readonly long _stamp = clock.GetTimestamp();

    public async Task<DateTimeOffset> NowAsync(LlmOsDb db, CancellationToken cancel) => db.IsPostgres
        ? await db.Database.SqlQueryRaw<DateTimeOffset>("select clock_timestamp() as \"Value\"").SingleAsync(cancel)
        : _began + clock.GetElapsedTime(_stamp);
}
