using LlmOs.Contracts;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>The database on SQLite as one file of a backup.</summary>
internal static class SqliteCopy
{
    public const string FileName = "llmos.db";

    /// <summary>Writes the database as it stands at one moment, its write-ahead log included, while a server may go on writing.</summary>
    public static async Task<DatabaseCopy> WriteAsync(LlmOsDb db, IReadOnlyList<ITableMap> maps, string folder, CancellationToken cancel)
    {
        var path = Path.Combine(folder, FileName);
        await db.Database.ExecuteSqlAsync($"vacuum into {path}", cancel);
        await using (var copy = new SqliteDb(ProviderOptions.Sqlite(path), maps))
        {
            var verdict = await copy.Database.SqlQueryRaw<string>("select integrity_check as \"Value\" from pragma_integrity_check limit 1").SingleAsync(cancel);
            if (verdict != "ok")
            {
                throw new LlmOsException(ErrorCode.CorruptFile, $"SQLite says that the copy of the database is damaged: {verdict}") { Hint = "Check the disk; restore an earlier backup if the database itself is damaged." };
            }

            var facts = await DatabaseFacts.ReadAsync(copy, cancel);
            await CloseAsync(copy, path, cancel);
            return new DatabaseCopy(facts, []);
        }
    }

    /// <summary>Puts the copy into place under another name, lets <paramref name="prepare"/> change it, and renames it.</summary>
    public static async Task ReadAsync(string backup, BackupFile file, string target, IReadOnlyList<ITableMap> maps, Func<LlmOsDb, Task> prepare, CancellationToken cancel)
    {
        var unfinished = target + ".unfinished";
        foreach (var left in new[] { unfinished, unfinished + "-wal", unfinished + "-shm" })
        {
            File.Delete(left);
        }

        await CheckedCopy.RestoreAsync(backup, file, unfinished, cancel);
        await using (var db = new SqliteDb(ProviderOptions.Sqlite(unfinished), maps))
        {
            await prepare(db);
            await CloseAsync(db, unfinished, cancel);
        }

        FaultPoints.Reach("restore.database");
        File.Move(unfinished, target);
    }

    /// <summary>Brings everything into the one file, and that to the disk.</summary>
    private static async Task CloseAsync(SqliteDb db, string path, CancellationToken cancel)
    {
        await db.Database.ExecuteSqlRawAsync("pragma wal_checkpoint(truncate)", cancel);
        await db.Database.ExecuteSqlRawAsync("pragma journal_mode = delete", cancel);
        await db.Database.CloseConnectionAsync();
        SqliteConnection.ClearPool((SqliteConnection)db.Database.GetDbConnection());
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }
}
