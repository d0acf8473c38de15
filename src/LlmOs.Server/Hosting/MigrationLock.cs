using System.Data.Common;
using System.Globalization;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace LlmOs.Server.Hosting;

/// <summary>
/// Lets one host at a time change the tables of a PostgreSQL database. It is a lock of a session of its own, so it ends with
/// the process that holds it, whatever EF does with other connections.
/// </summary>
internal sealed partial class MigrationLock : IAsyncDisposable
{
    /// <summary>Any number will do as long as it stays the same: "llmos" in ASCII.</summary>
    internal const long Number = 0x6c_6c_6d_6f_73;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(10);

    private const string Holder = """
        select string_agg('process ' || a.pid || ' (' || coalesce(host(a.client_addr), 'local') || ', since ' || date_trunc('second', a.backend_start) || ')', ', ')
        from pg_locks l join pg_stat_activity a on a.pid = l.pid
        where l.locktype = 'advisory' and l.granted and (l.classid::bigint << 32 | l.objid::bigint) = $1
            and l.database = (select oid from pg_database where datname = current_database())
        """;

    private readonly NpgsqlConnection _connection;

    private MigrationLock(NpgsqlConnection connection) => _connection = connection;

    /// <summary>Waits until no other host holds it, and says in the log for whom it waits.</summary>
    public static async Task<MigrationLock> TakeAsync(LlmOsDb db, ILogger log, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(db.Database.GetConnectionString());
        try
        {
            await connection.OpenAsync(cancel);
            long? told = null;
            while (!Equals(await ScalarAsync(connection, "select pg_try_advisory_lock($1)", cancel), true))
            {
                if (told is not { } last || TimeProvider.System.GetElapsedTime(last) >= TellInterval)
                {
                    told = TimeProvider.System.GetTimestamp();
                    LogWaiting(log, Convert.ToString(await ScalarAsync(connection, Holder, cancel), CultureInfo.InvariantCulture) is { Length: > 0 } holder ? holder : "nobody any more");
                }

                await Task.Delay(Pause, TimeProvider.System, cancel);
            }

            return new MigrationLock(connection);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            // A pooled connection would go on holding it.
            await ScalarAsync(_connection, "select pg_advisory_unlock($1)", CancellationToken.None);
        }
        catch (DbException)
        {
            // The session is gone, and the lock with it.
        }

        await _connection.DisposeAsync();
    }

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql, CancellationToken cancel)
    {
#pragma warning disable CA2100 // a constant of this class
        await using var command = new NpgsqlCommand(sql, connection) { Parameters = { new() { Value = Number } } };
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(cancel);
    }

    [LoggerMessage(LogLevel.Warning, "Another host prepares the database; waiting for PostgreSQL's {Holder}")]
    private static partial void LogWaiting(ILogger log, string holder);
}
