using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>
/// Brings a backup into an empty data folder and an empty database. Every file is compared with its hash on the way. A restore
/// that was cut off is begun again with the same command; until it has ended no server starts on the folder.
/// </summary>
/// <remarks>What was restored is a store of its own, with a new id, and nothing is collected from it before it was verified.</remarks>
public sealed class StoreRestore(
    IDbContextFactory<LlmOsDb> databases, IEnumerable<ITableMap> maps, DataFolder folder, ArtifactStore store, StoreIdentity identity, LlmOsSettings settings)
{
    /// <param name="backup">The folder that <see cref="StoreBackup"/> wrote.</param>
    /// <param name="tell">Told now and then what is done.</param>
    /// <exception cref="LlmOsException">The backup is damaged or of another kind, or there is something where it should go.</exception>
    public async Task<BackupReport> RunAsync(string backup, Action<string> tell, CancellationToken cancel)
    {
        backup = Path.GetFullPath(backup);
        var manifest = await BackupManifest.ReadAsync(backup, cancel);
        if (manifest.IsPostgres != settings.Database is not null)
        {
            throw new LlmOsException(ErrorCode.Conflict, manifest.IsPostgres
                ? "The backup is of a database on PostgreSQL, and LLMOS_DATABASE is empty."
                : "The backup is of a database on SQLite, and LLMOS_DATABASE names one on PostgreSQL.")
            { Hint = "Restore to the same kind of database." };
        }

        await RequireKnownAsync(manifest, cancel);
        var id = identity.BeginRestore(manifest.StoreId);
        try
        {
            await RestoreFilesAsync(backup, manifest, tell, cancel);
            tell("restoring the database");
            await (manifest.IsPostgres ? RestorePostgresAsync(backup, manifest, id, cancel) : RestoreSqliteAsync(backup, manifest, id, cancel));
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(e);
        }

        FaultPoints.Reach("restore.filled");
        identity.EndRestore(id);
        return new BackupReport(folder.Root, manifest.Files.Count + manifest.Blobs.Count, manifest.Files.Sum(f => f.Bytes) + manifest.Blobs.Sum(b => b.Bytes), manifest.Lacking);
    }

    private async Task RequireKnownAsync(BackupManifest manifest, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var known = db.Database.GetMigrations().ToList();
        if (manifest.Migrations.Count == 0 || !known.Take(manifest.Migrations.Count).SequenceEqual(manifest.Migrations))
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"The backup was written by server {Shown.Of(manifest.Server)}, whose database this one does not know.") { Hint = "Restore it with that release, or a newer one." };
        }
    }

    private async Task RestoreFilesAsync(string backup, BackupManifest manifest, Action<string> tell, CancellationToken cancel)
    {
        for (var at = 0; at < manifest.Blobs.Count; at++)
        {
            tell($"restoring stored file {at + 1} of {manifest.Blobs.Count}");
            await RestoreBlobAsync(backup, manifest.Blobs[at].Sha256, cancel);
            FaultPoints.Reach("restore.blob");
        }

        foreach (var file in manifest.Files.Where(file => file.Area != BackupArea.Database))
        {
            await CheckedCopy.RestoreAsync(backup, file, Path.Combine(file.Area == BackupArea.Keys ? folder.Keys : folder.Uploads, file.Name), cancel);
        }

        FolderNames.Flush(folder.Keys);
        FolderNames.Flush(folder.Uploads);
    }

    private async Task RestoreBlobAsync(string backup, string sha256, CancellationToken cancel)
    {
        try
        {
            await store.VerifyAsync(sha256, cancel);
            return; // by an earlier try
        }
        catch (LlmOsException)
        {
            // Not there, or damaged.
        }

        try
        {
            if ((await store.PutFileAsync(BackupManifest.BlobPath(backup, sha256), cancel)).Sha256 != sha256)
            {
                throw CheckedCopy.Damaged(sha256);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw CheckedCopy.Damaged(sha256);
        }
    }

    private async Task RestoreSqliteAsync(string backup, BackupManifest manifest, string id, CancellationToken cancel)
    {
        if (File.Exists(folder.SqliteFile))
        {
            return; // renamed into place by an earlier try, just before it was cut off
        }

        var file = manifest.Files.SingleOrDefault(f => f is { Area: BackupArea.Database, Name: SqliteCopy.FileName }) ?? throw CheckedCopy.Damaged(SqliteCopy.FileName);
        await SqliteCopy.ReadAsync(backup, file, folder.SqliteFile, [.. maps], async db =>
        {
            await db.Database.MigrateAsync(cancel);
            await identity.RenewAsync(db, id, cancel);
        }, cancel);
        FolderNames.Flush(folder.Root);
    }

    private async Task RestorePostgresAsync(string backup, BackupManifest manifest, string id, CancellationToken cancel)
    {
        foreach (var file in manifest.Files.Where(file => file.Area == BackupArea.Database))
        {
            await CheckAsync(file.PathBelow(backup), file, cancel);
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancel))
        {
            await creator.CreateAsync(cancel);
        }

        if (!(await db.Database.GetAppliedMigrationsAsync(cancel)).Any())
        {
            await db.GetService<IMigrator>().MigrateAsync(manifest.Migrations[^1], cancel);
        }

        if (!await IsFilledAsync(db, manifest.StoreId, id, cancel))
        {
            await PostgresCopy.ReadAsync(db, backup, manifest, cancel);
        }

        await db.Database.MigrateAsync(cancel);
        await identity.RenewAsync(db, id, cancel);
    }

    /// <summary>Whether an earlier try of this restore has filled the tables.</summary>
    private static async Task<bool> IsFilledAsync(LlmOsDb db, string saved, string id, CancellationToken cancel)
    {
        var there = await db.Database.SqlQueryRaw<string>("select id as \"Value\" from stores").ToListAsync(cancel);
        return there.Contains(id) || there.Contains(saved);
    }

    private static async Task CheckAsync(string path, BackupFile file, CancellationToken cancel)
    {
        try
        {
            await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
            if (Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(content, cancel)) != file.Sha256)
            {
                throw CheckedCopy.Damaged(file.Name);
            }
        }
        catch (FileNotFoundException)
        {
            throw CheckedCopy.Damaged(file.Name);
        }
    }
}
