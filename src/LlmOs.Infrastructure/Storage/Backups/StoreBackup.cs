using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>
/// Writes a backup of the whole store into a folder: the database at one moment, every file that it refers to, the keys of
/// sessions and the uploads that are under way. Servers may run meanwhile: what they delete after that moment lies in the
/// quarantine for longer than a backup takes.
/// </summary>
public sealed class StoreBackup(IDbContextFactory<LlmOsDb> databases, IEnumerable<ITableMap> maps, DataFolder folder, ArtifactStore store, TimeProvider clock)
{
    /// <summary>Lies in a folder that a backup is being written to, and in no other: only such a one is emptied.</summary>
    private const string UnfinishedMark = "unfinished";

    /// <param name="target">Not there yet, or empty. The backup appears there whole or not at all.</param>
    /// <param name="tell">Told now and then what is done.</param>
    /// <exception cref="LlmOsException">The folder is in use, or the disk is full.</exception>
    public async Task<BackupReport> WriteAsync(string target, Action<string> tell, CancellationToken cancel)
    {
        target = Path.GetFullPath(target);
        if (Directory.Exists(target) && Directory.EnumerateFileSystemEntries(target).Any())
        {
            throw new LlmOsException(ErrorCode.Conflict, $"The folder '{target}' is not empty.") { Hint = "Name a new folder for each backup." };
        }

        var unfinished = Begin(target);
        try
        {
            var (manifest, report) = await FillAsync(unfinished, target, tell, cancel);
            await manifest.WriteAsync(unfinished, cancel);
            File.Delete(Path.Combine(unfinished, UnfinishedMark));
            FolderNames.Flush(unfinished);
            FaultPoints.Reach("backup.written");
            if (Directory.Exists(target))
            {
                Directory.Delete(target);
            }

            Directory.Move(unfinished, target);
            FolderNames.Flush(Path.GetDirectoryName(target)!);
            return report;
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw new LlmOsException(ErrorCode.OutOfDisk, $"The disk of '{target}' is full.", e) { Hint = "Write the backup to a larger disk. Nothing is left of this one." };
        }
        finally
        {
            if (Directory.Exists(unfinished))
            {
                Directory.Delete(unfinished, recursive: true);
            }
        }
    }

    private static string Begin(string target)
    {
        var unfinished = target.TrimEnd(Path.DirectorySeparatorChar) + ".unfinished";
        if (Directory.Exists(unfinished))
        {
            if (!File.Exists(Path.Combine(unfinished, UnfinishedMark)) && !File.Exists(Path.Combine(unfinished, BackupManifest.FileName)))
            {
                throw new LlmOsException(ErrorCode.Conflict, $"'{unfinished}' is in the way, and no backup made it.") { Hint = "Name another folder." };
            }

            Directory.Delete(unfinished, recursive: true); // a backup that was cut off
        }

        Directory.CreateDirectory(Path.GetDirectoryName(unfinished)!);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(unfinished);
        }
        else
        {
            // It holds what only the data folder's owner may read.
            Directory.CreateDirectory(unfinished, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        File.WriteAllText(Path.Combine(unfinished, UnfinishedMark), "");
        return unfinished;
    }

    private async Task<(BackupManifest Manifest, BackupReport Report)> FillAsync(string backup, string target, Action<string> tell, CancellationToken cancel)
    {
        foreach (var area in Enum.GetValues<BackupArea>())
        {
            Directory.CreateDirectory(Path.Combine(backup, area.ToString().ToLowerInvariant()));
        }

        tell("copying the database");
        await using var db = await databases.CreateDbContextAsync(cancel);
        var database = Path.Combine(backup, "database");
        var copy = db.IsPostgres ? await PostgresCopy.WriteAsync(db, database, cancel) : await SqliteCopy.WriteAsync(db, [.. maps], database, cancel);
        FaultPoints.Reach("backup.database");

        List<BackupFile> files = [];
        foreach (var path in Directory.EnumerateFiles(database).Order(StringComparer.Ordinal))
        {
            files.Add(await HashedAsync(BackupArea.Database, path, cancel));
        }

        files.AddRange(await CopyAllAsync(BackupArea.Keys, backup, Directory.EnumerateFiles(folder.Keys), cancel));
        files.AddRange(await CopyAllAsync(BackupArea.Uploads, backup, copy.Facts.Uploads.Select(id => Path.Combine(folder.Uploads, id)).Where(File.Exists), cancel));
        var (blobs, lacking) = await CopyBlobsAsync(backup, copy.Facts.Used, tell, cancel);
        var manifest = new BackupManifest
        {
            Format = BackupManifest.CurrentFormat,
            CreatedAt = clock.GetUtcNow(),
            Server = typeof(StoreBackup).Assembly.GetName().Version?.ToString(3) ?? "",
            IsPostgres = db.IsPostgres,
            StoreId = copy.Facts.StoreId,
            Migrations = copy.Facts.Migrations,
            Tables = copy.Tables,
            Files = files,
            Blobs = blobs,
            Lacking = lacking,
        };
        return (manifest, new BackupReport(target, files.Count + blobs.Count, files.Sum(f => f.Bytes) + blobs.Sum(b => b.Bytes), lacking));
    }

    private async Task<(List<Blob> Blobs, List<string> Lacking)> CopyBlobsAsync(string backup, IReadOnlyCollection<string> used, Action<string> tell, CancellationToken cancel)
    {
        List<Blob> blobs = [];
        List<string> lacking = [];
        foreach (var sha256 in used)
        {
            tell($"copying stored file {blobs.Count + lacking.Count + 1} of {used.Count}");
            var target = BackupManifest.BlobPath(backup, sha256);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            if (await CopyBlobAsync(sha256, target, cancel) is { } blob)
            {
                blobs.Add(blob);
            }
            else
            {
                File.Delete(target);
                lacking.Add(sha256);
            }

            FaultPoints.Reach("backup.blob");
        }

        foreach (var shard in blobs.Count == 0 ? [] : Directory.GetDirectories(Path.Combine(backup, BackupManifest.BlobFolder)))
        {
            FolderNames.Flush(shard);
        }

        return (blobs, lacking);
    }

    /// <summary>Null where the blob is gone or damaged: a backup of everything else is worth more than none.</summary>
    private async Task<Blob?> CopyBlobAsync(string sha256, string target, CancellationToken cancel)
    {
        const int Tries = 2; // it may be set aside, or brought back, while it is looked for
        for (var tries = 0; tries < Tries; tries++)
        {
            if (store.FindAnywhere(sha256) is not { } source)
            {
                continue;
            }

            try
            {
                var copied = await CheckedCopy.CopyAsync(source, target, cancel);
                return copied.Sha256 == sha256 ? copied : null;
            }
            catch (FileNotFoundException)
            {
                // Looked for once more.
            }
        }

        return null;
    }

    private static async Task<List<BackupFile>> CopyAllAsync(BackupArea area, string backup, IEnumerable<string> sources, CancellationToken cancel)
    {
        List<BackupFile> files = [];
        foreach (var source in sources.Order(StringComparer.Ordinal))
        {
            var name = Path.GetFileName(source);
            try
            {
                var copied = await CheckedCopy.CopyAsync(source, new BackupFile(area, name, "", 0).PathBelow(backup), cancel);
                files.Add(new BackupFile(area, name, copied.Sha256, copied.Bytes));
            }
            catch (FileNotFoundException)
            {
                // An upload that became whole or was deleted since: after a restore it stands at its beginning.
            }
        }

        return files;
    }

    private static async Task<BackupFile> HashedAsync(BackupArea area, string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous);
        var hash = Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(file, cancel));
        file.Flush(flushToDisk: true);
        return new BackupFile(area, Path.GetFileName(path), hash, file.Length);
    }
}
