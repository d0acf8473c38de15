using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// Holds data folder and database together: both bear the same id. A database that meets another's folder would take the
/// models there for garbage, and one that meets an empty folder would list models whose files it does not have.
/// </summary>
public sealed class StoreIdentity(DataFolder folder, ArtifactStore store, LlmOsSettings settings, TimeProvider clock)
{
    /// <summary>The file of the data folder that holds the id.</summary>
    public const string FileName = "store.id";

    private const string Hint = "Put the folder and its own database together again, or restore a backup (docs/reliability.md).";

    private string IdFile => Path.Combine(folder.Root, FileName);

    /// <summary>Holds the new id and the id of the store that was saved, while a restore is under way.</summary>
    private string RestoreFile => Path.Combine(folder.Root, "restore.id");

    /// <summary>Refuses a database in which there is nothing yet for a folder that holds files. Call before anything is written.</summary>
    /// <exception cref="SettingException">The folder belongs to another database.</exception>
    public void RequireFolderForNewDatabase()
    {
        if (File.Exists(IdFile) || store.Blobs().Any())
        {
            throw Refuse($"holds the files of another database, and {(settings.Database is null ? "there is no llmos.db in it" : "the database of LLMOS_DATABASE is empty")}. {Hint} To begin anew, choose an empty folder.");
        }
    }

    /// <summary>Compares the ids; gives one to a folder or database without. Call after the migrations, under their lock.</summary>
    /// <exception cref="SettingException">They do not belong together.</exception>
    public async Task MatchAsync(LlmOsDb db, CancellationToken cancel)
    {
        var inFolder = ReadId();
        var inDatabase = await db.Stores.Select(s => s.Id).SingleOrDefaultAsync(cancel);
        if (inFolder is not null && inDatabase is not null)
        {
            if (inFolder != inDatabase)
            {
                throw Refuse($"is not the folder of this database: the folder says it is store {inFolder}, the database {inDatabase}. {Hint}");
            }

            return;
        }

        await RequireBelongingAsync(db, inDatabase, isNewPair: inFolder is null && inDatabase is null, cancel);
        var id = inFolder ?? inDatabase ?? Guid.NewGuid().ToString("n");
        if (inFolder is null)
        {
            Write(IdFile, id); // first: a folder with an id and a database without are found to belong together again
        }

        if (inDatabase is null)
        {
            db.Add(new StoreRecord { Id = id, CreatedAt = clock.GetUtcNow() });
            await db.SaveChangesAsync(cancel);
        }
    }

    /// <summary>Refuses a folder into which a restore was begun and not ended.</summary>
    /// <exception cref="SettingException">It was.</exception>
    public void RequireNoRestore()
    {
        if (File.Exists(RestoreFile))
        {
            throw Refuse("is half restored from a backup. Run llmos restore again, with the same backup, until it has ended.");
        }
    }

    /// <summary>Marks the folder as being restored; it must be empty, but for what an earlier try of the same restore left.</summary>
    /// <param name="saved">The id of the store that was saved.</param>
    /// <returns>The id that the restored store will have.</returns>
    internal string BeginRestore(string saved)
    {
        if (File.Exists(RestoreFile))
        {
            return File.ReadAllText(RestoreFile).Split() is [var id, var from, ..] && from == saved
                ? id
                : throw Refuse("is half restored from another backup. Empty it, or go on with that backup.");
        }

        if (File.Exists(IdFile) || File.Exists(folder.SqliteFile) || store.Blobs().Any())
        {
            throw Refuse("is not empty. Restore into a new folder.");
        }

        var restored = Guid.NewGuid().ToString("n");
        Write(RestoreFile, $"{restored} {saved}");
        return restored;
    }

    /// <summary>Gives the restored database its id.</summary>
    internal async Task RenewAsync(LlmOsDb db, string id, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.Stores.ExecuteDeleteAsync(cancel);
        db.Add(new StoreRecord { Id = id, CreatedAt = clock.GetUtcNow(), UnverifiedSince = clock.GetUtcNow() });
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    internal void EndRestore(string id)
    {
        Write(IdFile, id);
        File.Delete(RestoreFile);
        FolderNames.Flush(folder.Root);
    }

    /// <summary>Without two ids, the files tell: most of those in the folder are the database's, and most of the database's are there.</summary>
    private async Task RequireBelongingAsync(LlmOsDb db, string? inDatabase, bool isNewPair, CancellationToken cancel)
    {
        var used = await BlobColumns.ReadAsync(db, cancel);
        var here = store.Blobs().Concat(store.SetAside()).Select(blob => blob.Name).ToHashSet(StringComparer.Ordinal);
        if (here.Count == 0)
        {
            // A file of SQLite lies in its own folder. On PostgreSQL a second host may have brought an empty one.
            if (settings.Database is null || (used.Count == 0 && (isNewPair || File.Exists(IdFile))))
            {
                return;
            }

            throw Refuse($"is empty, and the database belongs to another folder. All hosts of one database share one data folder. {Hint}");
        }

        var known = here.Count(used.Contains);
        if (known * 2 < here.Count || known * 2 < used.Count)
        {
            throw Refuse($"does not seem to be the folder of this database: of the {here.Count} files in it the database refers to {known}, and it refers to {used.Count} in all. {Hint} "
                + (inDatabase is null
                    ? "If they do belong together, start the previous release once more and POST /api/v1/artifacts/collect, then start this one."
                    : $"If they do belong together, write {inDatabase} into the folder's file {FileName}."));
        }
    }

    private string? ReadId() => File.Exists(IdFile) ? File.ReadAllText(IdFile).Trim() : null;

    private void Write(string path, string text)
    {
        var unfinished = path + ".tmp";
        using (var file = new FileStream(unfinished, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(text + "\n"));
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, path, overwrite: true);
        FolderNames.Flush(folder.Root);
    }

    private SettingException Refuse(string what) => new("LLMOS_DATA", $"'{folder.Root}' {what}");
}
