using System.Data.Common;
using System.Net.Sockets;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace LlmOs.Server.Hosting;

/// <summary>Brings the database to this version, once, however many hosts start together; a new one also gets its admin key.</summary>
internal sealed partial class DatabaseSetup(
    IDbContextFactory<LlmOsDb> databases,
    ApiKeys keys,
    DataFolder folder,
    LlmOsSettings settings,
    ArtifactStore artifacts,
    FirstKey firstKey,
    ILogger<DatabaseSetup> log)
{
    /// <summary>Any number will do as long as it stays the same: "llmos" in ASCII.</summary>
    private const long AdvisoryLock = 0x6c_6c_6d_6f_73;

    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            if (db.IsPostgres)
            {
                await UnderAdvisoryLockAsync(db, () => PrepareAsync(db, cancel), cancel);
            }
            else
            {
                // The folder's lock is held: nobody else is here.
                DeleteLeftovers();
                await PrepareAsync(db, cancel);
            }
        }
        catch (Exception e) when (e is DbException or SocketException or TimeoutException || e.InnerException is DbException)
        {
            var cause = e as DbException ?? e.InnerException ?? e;
            throw new StartFailure(StartFailure.Database, $"The database is not usable (LLMOS_DATABASE{(settings.Database is null ? " is empty: SQLite in LLMOS_DATA" : "")}): {cause.Message}", e);
        }
    }

    private async Task PrepareAsync(LlmOsDb db, CancellationToken cancel)
    {
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var applied = (await db.Database.GetAppliedMigrationsAsync(cancel)).ToList();
        var newer = applied.Where(migration => !known.Contains(migration) && !OldHistory.Knows(migration)).ToList();
        if (newer.Count > 0)
        {
            throw new StartFailure(StartFailure.Database, $"The database is of a newer version: this server does not know its migration '{newer[^1]}'. Install the newer server, or restore a backup.");
        }

        if (await OldHistory.AdoptAsync(db, applied, cancel))
        {
            LogAdopted(applied.Count);
            applied = [.. await db.Database.GetAppliedMigrationsAsync(cancel)];
        }

        if (applied.Count < known.Count)
        {
            await db.Database.MigrateAsync(cancel);
            LogMigrated(known.Count - applied.Count);
        }

        firstKey.Value = await keys.EnsureAdminAsync(cancel);
    }

    private static async Task UnderAdvisoryLockAsync(LlmOsDb db, Func<Task> work, CancellationToken cancel)
    {
        await CreateDatabaseAsync(db, cancel);

        // A connection of its own: the lock lives as long as it is open, whatever EF does with the others.
        await using var connection = new NpgsqlConnection(db.Database.GetConnectionString());
        await connection.OpenAsync(cancel);
        await using (var take = new NpgsqlCommand("select pg_advisory_lock($1)", connection) { Parameters = { new() { Value = AdvisoryLock } }, CommandTimeout = 300 })
        {
            await take.ExecuteNonQueryAsync(cancel);
        }

        try
        {
            await work();
        }
        finally
        {
            await using var free = new NpgsqlCommand("select pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = AdvisoryLock } } };
            await free.ExecuteNonQueryAsync(CancellationToken.None); // must complete
        }
    }

    private static async Task CreateDatabaseAsync(LlmOsDb db, CancellationToken cancel)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (await creator.ExistsAsync(cancel))
        {
            return;
        }

        try
        {
            await creator.CreateAsync(cancel);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another host was quicker.
        }
    }

    private void DeleteLeftovers()
    {
        artifacts.DeleteLeftovers();
        foreach (var leftover in Directory.EnumerateDirectories(folder.Scratch))
        {
            Directory.Delete(leftover, recursive: true);
        }
    }

    [LoggerMessage(LogLevel.Information, "Applied {Count} migrations to the database")]
    private partial void LogMigrated(int count);

    [LoggerMessage(LogLevel.Information, "Took the database over: its {Count} migrations became one; its rows are as they were")]
    private partial void LogAdopted(int count);
}

/// <summary>The admin key that was made up for a new database, until it has been shown.</summary>
internal sealed class FirstKey
{
    public string? Value { get; set; }
}
