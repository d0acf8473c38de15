using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// Which blobs the database refers to. The rule for every table: a column whose name is <c>sha256</c>, or ends in
/// <c>_sha256</c>, holds the hashes of blobs and keeps them alive. Nothing else does.
/// </summary>
public static class BlobColumns
{
    /// <summary>The columns, by what the tables of this database are.</summary>
    public static IEnumerable<(string Table, string Column)> Of(IModel model) =>
        from entity in model.GetEntityTypes()
        let table = entity.GetTableName()
        where table is not null
        from property in entity.GetProperties()
        where property.ClrType == typeof(string)
        let column = property.GetColumnName()
        where column == "sha256" || column.EndsWith("_sha256", StringComparison.Ordinal)
        select (table, column);

    public static async Task<HashSet<string>> ReadAsync(LlmOsDb db, CancellationToken cancel)
    {
        var names = db.GetService<ISqlGenerationHelper>();
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (table, column) in Of(db.Model))
        {
            // Table and column are this program's own, never a caller's.
            var sql = $"select distinct {names.DelimitIdentifier(column)} as \"Value\" from {names.DelimitIdentifier(table)} where {names.DelimitIdentifier(column)} is not null";
            used.UnionWith(await db.Database.SqlQueryRaw<string>(sql).ToListAsync(cancel));
        }

        return used;
    }
}

/// <summary>What interrupted writes left in the store.</summary>
internal sealed class Leftovers(ArtifactStore store) : ICollectable
{
    public string What => "leftovers";

    public Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var (files, bytes) = (0, 0L);
        foreach (var leftover in store.Leftovers().Select(path => new FileInfo(path)).Where(file => file.Exists && file.LastWriteTimeUtc < round.Before.UtcDateTime))
        {
            (files, bytes) = (files + 1, bytes + leftover.Length);
            if (!round.DryRun)
            {
                leftover.Delete();
            }
        }

        return Task.FromResult(new CollectedView(What, files, bytes));
    }
}

/// <summary>Uploads that nobody goes on with, and their bytes.</summary>
internal sealed class ForgottenUploads(DataFolder folder, IOptions<CollectorOptions> options) : ICollectable
{
    public string What => "uploads";

    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var untouched = round.Now - TimeSpan.FromDays(options.Value.UploadDays);
        var forgotten = await round.Db.Uploads.Where(u => u.TouchedAt < untouched).Select(u => u.Id).ToListAsync(cancel);
        var receiving = await round.Db.Uploads.Where(u => u.State == UploadState.Receiving).Select(u => u.Id).ToListAsync(cancel);
        var (files, bytes) = (0, 0L);
        foreach (var part in new DirectoryInfo(folder.Uploads).EnumerateFiles()
            .Where(part => forgotten.Contains(IdOf(part)) || (!receiving.Contains(IdOf(part)) && part.LastWriteTimeUtc < round.Before.UtcDateTime)))
        {
            (files, bytes) = (files + 1, bytes + part.Length);
            if (!round.DryRun)
            {
                part.Delete();
            }
        }

        // After the files, which make room for it on a full disk.
        if (!round.DryRun)
        {
            await round.Db.Uploads.Where(u => u.TouchedAt < untouched).ExecuteDeleteAsync(cancel);
        }

        return new CollectedView(What, files, bytes);
    }

    /// <summary>Of the bytes or of the claim.</summary>
    private static string IdOf(FileInfo file) => file.Name.EndsWith(Uploads.ClaimEnd, StringComparison.Ordinal) ? file.Name[..^Uploads.ClaimEnd.Length] : file.Name;
}

/// <summary>Folders of attempts that do not run, and checkpoints of jobs that ended.</summary>
internal sealed class JobLeftovers(DataFolder folder, IOptions<CollectorOptions> options) : ICollectable
{
    public string What => "jobs";

    public async Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel)
    {
        var (files, bytes) = (0, 0L);
        foreach (var scratch in Old(folder.Scratch, round.Before))
        {
            // {job}-{attempt}; an id holds no hyphen
            var parts = scratch.Name.Split('-');
            var attempt = parts.Length == 2 && int.TryParse(parts[1], out var number) ? number : -1;
            if (!await round.Db.Jobs.AnyAsync(j => j.Id == parts[0] && j.Attempt == attempt && (j.State == JobState.Running || j.State == JobState.Pausing), cancel))
            {
                Delete(scratch);
            }
        }

        var untouched = round.Now - TimeSpan.FromDays(options.Value.FailedJobDays);
        foreach (var kept in Old(folder.Jobs, round.Before))
        {
            var job = await round.Db.Jobs.Where(j => j.Id == kept.Name).Select(j => new { j.State, j.FinishedAt }).SingleOrDefaultAsync(cancel);
            if (job is null or { State: JobState.Succeeded or JobState.Cancelled } || (job.State == JobState.Failed && job.FinishedAt < untouched))
            {
                Delete(kept);
            }
        }

        return new CollectedView(What, files, bytes);

        void Delete(DirectoryInfo leftover)
        {
            foreach (var file in leftover.EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
            {
                (files, bytes) = (files + 1, bytes + file.Length);
            }

            if (!round.DryRun)
            {
                leftover.Delete(recursive: true);
            }
        }
    }

    private static List<DirectoryInfo> Old(string parent, DateTimeOffset before) =>
        [.. new DirectoryInfo(parent).EnumerateDirectories().Where(child => child.LastWriteTimeUtc < before.UtcDateTime)];
}
