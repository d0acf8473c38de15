using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;
using Npgsql;

namespace LlmOs.Server.Hosting;

/// <summary>Brings the database to this version, once, however many hosts start together, and makes sure that the data folder is its own.</summary>
internal sealed partial class DatabaseSetup(
    IDbContextFactory<LlmOsDb> databases,
    ApiKeys keys,
    DataFolder folder,
    LlmOsSettings settings,
    ArtifactStore artifacts,
    StoreIdentity identity,
    IOptions<DatabaseOptions> options,
    ILogger<DatabaseSetup> log)
{
    /// <exception cref="SettingException">The data folder is not this database's.</exception>
    /// <exception cref="StartFailure">The database cannot be used.</exception>
    /// <param name="showKey">Told the admin key of a new database, before it is stored: so it is never lost.</param>
    public Task RunAsync(Action<string> showKey, CancellationToken cancel) => StartFailure.OfDatabaseAsync(settings, async () =>
    {
        identity.RequireNoRestore();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            if (db.IsPostgres)
            {
                await CreateDatabaseAsync(db, cancel); // connecting has a limit of its own
                limit.CancelAfter(Limit);
                await using var alone = await MigrationLock.TakeAsync(db, log, limit.Token);
                limit.CancelAfter(Limit);
                await PrepareAsync(db, showKey, limit.Token);
            }
            else
            {
                limit.CancelAfter(Limit);
                await PrepareAsync(db, showKey, limit.Token);
                DeleteLeftovers(); // the folder's lock is held: nobody else is here
            }

            return true;
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new StartFailure(StartFailure.Database, $"The database was not brought to this version within {Limit.TotalMinutes:0.##} minutes (Database:MigrationMinutes). The log says what it waited for.", e);
        }
    });

    private TimeSpan Limit => TimeSpan.FromMinutes(options.Value.MigrationMinutes);

    private async Task PrepareAsync(LlmOsDb db, Action<string> showKey, CancellationToken cancel)
    {
        var known = db.Database.GetMigrations().ToHashSet(StringComparer.Ordinal);
        var applied = (await db.Database.GetAppliedMigrationsAsync(cancel)).ToList();
        var newer = applied.Where(migration => !known.Contains(migration) && !OldHistory.Knows(migration)).ToList();
        if (newer.Count > 0)
        {
            throw new StartFailure(StartFailure.Database, $"The database is of a newer version: this server does not know its migration '{newer[^1]}'. Install the newer server, or restore a backup.");
        }

        if (applied.Count == 0)
        {
            identity.RequireFolderForNewDatabase();
        }

        if (await OldHistory.AdoptAsync(db, applied, cancel))
        {
            LogAdopted(applied.Count);
            applied = [.. await db.Database.GetAppliedMigrationsAsync(cancel)];
        }

        if (applied.Count < known.Count)
        {
            await MigrateAsync(db, applied, cancel);
        }

        await identity.MatchAsync(db, cancel);
        await keys.EnsureAdminAsync(showKey, cancel);
    }

    private async Task MigrateAsync(LlmOsDb db, IReadOnlyList<string> applied, CancellationToken cancel)
    {
        if (!db.IsPostgres)
        {
            await FreeSqliteLockAsync(db, cancel);
        }

        db.Database.SetCommandTimeout(Limit); // a large table may take long to change
        var missing = db.Database.GetMigrations().Except(applied, StringComparer.Ordinal).ToList();
        var migrator = db.GetService<IMigrator>();
        foreach (var (index, migration) in missing.Index())
        {
            LogMigrating(index + 1, missing.Count, migration);
            await migrator.MigrateAsync(migration, cancel);
        }

        LogMigrated(missing.Count);
    }

    /// <summary>EF's lock on SQLite is a row, which a killed process leaves behind, and then EF waits for it without end.</summary>
    private static async Task FreeSqliteLockAsync(LlmOsDb db, CancellationToken cancel)
    {
        if (await db.Database.SqlQueryRaw<int>("select count(*) as \"Value\" from sqlite_master where name = '__EFMigrationsLock'").SingleAsync(cancel) > 0)
        {
            await db.Database.ExecuteSqlRawAsync("delete from \"__EFMigrationsLock\"", cancel); // the folder's lock is held: nobody migrates
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

    [LoggerMessage(LogLevel.Information, "Migrating the database, {Number} of {Count}: {Migration}")]
    private partial void LogMigrating(int number, int count, string migration);

    [LoggerMessage(LogLevel.Information, "Applied {Count} migrations to the database")]
    private partial void LogMigrated(int count);

    [LoggerMessage(LogLevel.Information, "Took the database over: its {Count} migrations became one; its rows are as they were")]
    private partial void LogAdopted(int count);
}
