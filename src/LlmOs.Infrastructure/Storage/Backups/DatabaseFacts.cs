using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>What the rest of a backup needs to know of its database, as of the same moment.</summary>
/// <param name="Used">The blobs that it refers to.</param>
/// <param name="Uploads">The ids of uploads that are under way.</param>
internal sealed record DatabaseFacts(string StoreId, IReadOnlyList<string> Migrations, IReadOnlyCollection<string> Used, IReadOnlyList<string> Uploads)
{
    public static async Task<DatabaseFacts> ReadAsync(LlmOsDb db, CancellationToken cancel)
    {
        var (known, applied) = (db.Database.GetMigrations().ToList(), (await db.Database.GetAppliedMigrationsAsync(cancel)).ToList());
        if (!applied.SequenceEqual(known))
        {
            throw new LlmOsException(ErrorCode.Conflict, "The database is not of the version of this program.") { Hint = "Make the backup with the release that the server runs." };
        }

        var store = await db.Stores.Select(s => s.Id).SingleOrDefaultAsync(cancel)
            ?? throw new LlmOsException(ErrorCode.Conflict, "No server has been started on this database yet.") { Hint = "Start one first." };
        var used = (await BlobColumns.ReadAsync(db, cancel)).Where(ArtifactStore.IsHash).Order(StringComparer.Ordinal).ToList();
        return new DatabaseFacts(store, applied, used, await db.Uploads.Where(u => u.State == UploadState.Receiving).Select(u => u.Id).ToListAsync(cancel));
    }
}

/// <summary>The copy of a database.</summary>
internal sealed record DatabaseCopy(DatabaseFacts Facts, IReadOnlyList<BackupTable> Tables);
