using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;

namespace LlmOs.Tools.Datasets;

/// <summary>A file that was written for a version that is about to be published.</summary>
internal sealed record NewDatasetFile(string Split, Blob Blob, long Rows);

/// <summary>A version that is about to be published.</summary>
internal sealed record NewDatasetVersion(
    string Dataset,
    IReadOnlyList<DatasetColumn> Columns,
    IReadOnlyList<NewDatasetFile> Files,
    string Sha256,
    IReadOnlyList<DatasetColumnStatistics> Statistics,
    string? License,
    DatasetLineage Lineage);

/// <summary>Names, versions and what refers to them. A data set without a version does not exist for callers.</summary>
internal sealed partial class DatasetRegistry(TimeProvider clock, ILogger<DatasetRegistry> log)
{
    private const int MaxNamed = 10;

    /// <summary>Lists a version under the next number. Runs inside the transaction that ends its job.</summary>
    /// <exception cref="LlmOsException">409: the data set is archived.</exception>
    public async Task<DatasetJobResult> PublishAsync(LlmOsDb db, NewDatasetVersion version, CancellationToken cancel)
    {
        var now = db.StoredTime(clock.GetUtcNow());
        // Two publishers of a new name meet here; the second waits for the first and finds its row.
        await db.Database.ExecuteSqlAsync(
            $"insert into datasets (name, last_version, created_at) values ({version.Dataset}, 0, {now}) on conflict (name) do nothing", cancel);
        await db.Datasets.Where(d => d.Name == version.Dataset).ExecuteUpdateAsync(set => set.SetProperty(d => d.LastVersion, d => d.LastVersion + 1), cancel);
        var dataset = await db.Datasets.AsNoTracking().SingleAsync(d => d.Name == version.Dataset, cancel);
        if (dataset.ArchivedAt is not null)
        {
            throw Archived(dataset.Name);
        }

        var rows = version.Files.Sum(f => f.Rows);
        db.Add(new DatasetVersion
        {
            DatasetId = dataset.Id,
            Number = dataset.LastVersion,
            Rows = rows,
            Columns = JsonSerializer.Serialize(version.Columns, LlmOsJson.Options),
            Statistics = JsonSerializer.Serialize(version.Statistics, LlmOsJson.Options),
            Digest = version.Sha256,
            License = version.License,
            LineageParent = version.Lineage.Parent,
            LineageSource = version.Lineage.Source,
            LineageJob = version.Lineage.Job,
            LineageSteps = version.Lineage.Steps?.GetRawText(),
            CreatedAt = clock.GetUtcNow(),
            Files = [.. version.Files.Select((f, position) => new DatasetFile { Position = position, Split = f.Split, Rows = f.Rows, Bytes = f.Blob.Bytes, Sha256 = f.Blob.Sha256 })],
        });
        await db.SaveChangesAsync(cancel);
        LogPublished(dataset.Name, dataset.LastVersion);
        return new DatasetJobResult(
            dataset.Name,
            dataset.LastVersion,
            $"{dataset.Name}:{dataset.LastVersion}",
            rows,
            version.Columns,
            version.Files.ToDictionary(f => f.Split, f => f.Rows),
            version.Sha256);
    }

    /// <summary>Refuses a name that gets no version.</summary>
    public static async Task RequireOpenAsync(LlmOsDb db, string name, CancellationToken cancel)
    {
        if (await db.Datasets.AnyAsync(d => d.Name == name && d.ArchivedAt != null, cancel))
        {
            throw Archived(name);
        }
    }

    public static async Task<DatasetView> FindAsync(LlmOsDb db, string name, CancellationToken cancel) =>
        (await Whole(db).SingleOrDefaultAsync(d => d.Name == name && d.Versions.Count > 0, cancel) ?? throw NoDataset(name)).ToView();

    /// <summary>A version with its files.</summary>
    /// <exception cref="LlmOsException">404: there is none of that name and number.</exception>
    public static async Task<DatasetVersion> FindAsync(LlmOsDb db, string name, int number, CancellationToken cancel, string? field = null)
    {
        var version = await db.DatasetVersions.AsNoTracking().Include(v => v.Dataset).Include(v => v.Files)
            .SingleOrDefaultAsync(v => v.Dataset.Name == name && v.Number == number, cancel);
        if (version is not null)
        {
            return version;
        }

        var numbers = await db.DatasetVersions.Where(v => v.Dataset.Name == name).OrderByDescending(v => v.Number).Select(v => v.Number).Take(20).ToListAsync(cancel);
        throw numbers.Count == 0
            ? NoDataset(name, field)
            : new LlmOsException(ErrorCode.NotFound, $"The data set '{name}' has no version {number}; it has {string.Join(", ", numbers.Order())}.") { Field = field };
    }

    /// <summary>The version that <c>name:3</c>, or <c>name</c> for the newest one, stands for.</summary>
    /// <param name="field">The field of the request that holds the reference.</param>
    public static async Task<DatasetVersion> ResolveAsync(LlmOsDb db, string reference, string field, CancellationToken cancel)
    {
        var (name, number) = DatasetName.Parse(reference, field);
        number ??= await db.DatasetVersions.Where(v => v.Dataset.Name == name).MaxAsync(v => (int?)v.Number, cancel) ?? throw NoDataset(name, field);
        return await FindAsync(db, name, number.Value, cancel, field);
    }

    /// <summary>Data sets by name, those that are archived or those that are not.</summary>
    public static IQueryable<RegisteredDataset> List(LlmOsDb db, bool archived) =>
        Whole(db).Where(d => d.Versions.Count > 0 && d.ArchivedAt != null == archived).OrderBy(d => d.Name);

    /// <summary>The versions below a number, the newest first.</summary>
    public static IQueryable<DatasetVersion> ListVersions(LlmOsDb db, string name, long below) =>
        db.DatasetVersions.AsNoTracking().Include(v => v.Dataset).Include(v => v.Files).Where(v => v.Dataset.Name == name && v.Number < below).OrderByDescending(v => v.Number);

    public async Task SetArchivedAsync(LlmOsDb db, string name, bool archived, CancellationToken cancel)
    {
        await FindAsync(db, name, cancel);
        DateTimeOffset? at = archived ? clock.GetUtcNow() : null;
        await db.Datasets.Where(d => d.Name == name && d.ArchivedAt != null != archived).ExecuteUpdateAsync(set => set.SetProperty(d => d.ArchivedAt, at), cancel);
    }

    /// <summary>Deletes one version, or all; the bytes go later, with the collector.</summary>
    /// <exception cref="LlmOsException">409: something was made of it, and says so.</exception>
    public async Task DeleteAsync(LlmOsDb db, string name, int? number, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        // Its row is locked: what is being published meanwhile comes before or after.
        await db.Datasets.Where(d => d.Name == name).ExecuteUpdateAsync(set => set.SetProperty(d => d.LastVersion, d => d.LastVersion), cancel);
        List<int> doomed = number is { } one ? [(await FindAsync(db, name, one, cancel)).Number] : [.. (await FindAsync(db, name, cancel)).Versions];
        await RequireUnusedAsync(db, name, doomed, cancel);
        await db.DatasetVersions.Where(v => v.Dataset.Name == name && doomed.Contains(v.Number)).ExecuteDeleteAsync(cancel); // the database deletes their files with them
        if (number is null)
        {
            await db.Datasets.Where(d => d.Name == name).ExecuteUpdateAsync(set => set.SetProperty(d => d.ArchivedAt, (DateTimeOffset?)null), cancel);
        }

        await transaction.CommitAsync(cancel);
        LogDeleted(name, number);
    }

    private static async Task RequireUnusedAsync(LlmOsDb db, string name, List<int> numbers, CancellationToken cancel)
    {
        var references = numbers.Select(n => $"{name}:{n}").ToList();
        var children = await db.DatasetVersions
            .Where(v => v.LineageParent != null && references.Contains(v.LineageParent) && !(v.Dataset.Name == name && numbers.Contains(v.Number)))
            .OrderBy(v => v.Id).Take(MaxNamed).Select(v => new { v.Dataset.Name, v.Number }).ToListAsync(cancel);
        List<string> users = [.. children.Select(v => $"data set '{v.Name}:{v.Number}'")];
        foreach (var reference in references.Take(100))
        {
            // A JSON list of references.
            var quoted = $"\"{reference}\"";
            users.AddRange((await db.ModelVersions.Where(v => v.LineageDatasets.Contains(quoted)).OrderBy(v => v.Id).Take(MaxNamed)
                .Select(v => new { v.Model.Name, v.Number }).ToListAsync(cancel)).Select(v => $"model '{v.Name}:{v.Number}'"));
        }

        if (users.Count > 0)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"{name} cannot be deleted: it is referred to by {string.Join(", ", users.Take(MaxNamed))}.")
            {
                Hint = "Delete those first, or archive the data set (PATCH with archived: true).",
            };
        }
    }

    private static IQueryable<RegisteredDataset> Whole(LlmOsDb db) => db.Datasets.AsNoTracking().Include(d => d.Versions).ThenInclude(v => v.Files);

    private static LlmOsException NoDataset(string name, string? field = null) => LlmOsException.NotFound("data set", name, "/api/v1/datasets", field);

    private static LlmOsException Archived(string name) =>
        new(ErrorCode.Conflict, $"The data set '{name}' is archived, so no version is added to it.") { Field = "dataset", Hint = "Take it out of the archive (PATCH with archived: false), or take another name." };

    [LoggerMessage(LogLevel.Information, "Listed data set {Dataset} version {Version}")]
    private partial void LogPublished(string dataset, int version);

    [LoggerMessage(LogLevel.Information, "Deleted data set {Dataset}, version {Version}")]
    private partial void LogDeleted(string dataset, int? version);
}

/// <summary>Data sets as the API shows them.</summary>
internal static class DatasetViews
{
    public static DatasetView ToView(this RegisteredDataset dataset)
    {
        var newest = dataset.Versions.MaxBy(v => v.Number)!;
        return new DatasetView(
            dataset.Name,
            [.. dataset.Versions.Select(v => v.Number).Order()],
            newest.Rows,
            newest.Files.Sum(f => f.Bytes),
            newest.License,
            dataset.CreatedAt,
            dataset.ArchivedAt);
    }
}
