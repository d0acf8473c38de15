using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Datasets;

/// <summary>A name with numbered versions. Its row outlives them: a number that was given out is never given again.</summary>
public sealed class RegisteredDataset
{
    public long Id { get; init; }

    public required string Name { get; init; }

    /// <summary>The highest number that was given out.</summary>
    public int LastVersion { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was taken out of use; null while it is in use.</summary>
    public DateTimeOffset? ArchivedAt { get; init; }

    public List<DatasetVersion> Versions { get; init; } = [];
}

/// <summary>A version of a data set; written once, in the transaction that ends its job.</summary>
public sealed class DatasetVersion
{
    public long Id { get; init; }

    public long DatasetId { get; init; }

    public RegisteredDataset Dataset { get; init; } = null!;

    public required int Number { get; init; }

    public required long Rows { get; init; }

    /// <summary>JSON list of <see cref="DatasetColumn"/>.</summary>
    public required string Columns { get; init; }

    /// <summary>JSON list of <see cref="DatasetColumnStatistics"/>.</summary>
    public required string Statistics { get; init; }

    /// <summary>SHA-256 of rows and splits. Not named after a hash: it is no blob's.</summary>
    public required string Digest { get; init; }

    public string? License { get; init; }

    /// <summary><c>name:3</c></summary>
    public string? LineageParent { get; init; }

    public string? LineageSource { get; init; }

    public string? LineageJob { get; init; }

    /// <summary>JSON list: the steps of the preparation.</summary>
    public string? LineageSteps { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public List<DatasetFile> Files { get; init; } = [];

    public string Ref => $"{Dataset.Name}:{Number}";

    internal IReadOnlyList<DatasetColumn> ReadColumns() => JsonSerializer.Deserialize<List<DatasetColumn>>(Columns, LlmOsJson.Options)!;

    internal DatasetStatistics ReadStatistics() => new(Rows, JsonSerializer.Deserialize<List<DatasetColumnStatistics>>(Statistics, LlmOsJson.Options)!);

    internal DatasetVersionView ToView() => new(
        Dataset.Name,
        Number,
        Ref,
        Rows,
        ReadColumns(),
        Ordered.ToDictionary(f => f.Split, f => f.Rows),
        Digest,
        Files.Sum(f => f.Bytes),
        License,
        new DatasetLineage(LineageParent, LineageSource, LineageJob, LineageSteps is null ? null : JsonSerializer.Deserialize<JsonElement>(LineageSteps, LlmOsJson.Options)),
        [.. Ordered.Select(f => new DatasetFileView(f.Split, f.Sha256, f.Bytes, f.Rows))],
        CreatedAt);

    /// <summary>The splits in the order in which their rows are counted.</summary>
    internal IEnumerable<DatasetFile> Ordered => Files.OrderBy(f => f.Position);
}

/// <summary>The rows of one split, as Parquet.</summary>
public sealed class DatasetFile
{
    public long Id { get; init; }

    public long VersionId { get; init; }

    public required int Position { get; init; }

    public required string Split { get; init; }

    public required long Rows { get; init; }

    public required long Bytes { get; init; }

    /// <summary>The blob, which this column keeps.</summary>
    public required string Sha256 { get; init; }
}

internal sealed class DatasetTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<RegisteredDataset>(dataset =>
        {
            dataset.ToTable("datasets");
            dataset.HasIndex(d => d.Name).IsUnique();
            dataset.Property(d => d.Name).HasMaxLength(64);
            dataset.HasMany(d => d.Versions).WithOne(v => v.Dataset).HasForeignKey(v => v.DatasetId);
        });
        model.Entity<DatasetVersion>(version =>
        {
            version.ToTable("dataset_versions");
            version.HasIndex(v => new { v.DatasetId, v.Number }).IsUnique();
            version.HasIndex(v => v.LineageParent);
            version.Property(v => v.Digest).HasMaxLength(64);
            version.Property(v => v.License).HasMaxLength(128);
            version.Property(v => v.LineageParent).HasMaxLength(80);
            version.Property(v => v.LineageSource).HasMaxLength(4096);
            version.Property(v => v.LineageJob).HasMaxLength(40);
            version.Ignore(v => v.Ref);
            version.HasMany(v => v.Files).WithOne().HasForeignKey(f => f.VersionId);
        });
        model.Entity<DatasetFile>(file =>
        {
            file.ToTable("dataset_files");
            file.HasIndex(f => new { f.VersionId, f.Split }).IsUnique();
            file.HasIndex(f => f.Sha256);
            file.Property(f => f.Split).HasMaxLength(64);
            file.Property(f => f.Sha256).HasMaxLength(64);
        });
    }
}

/// <summary>The tables of data sets.</summary>
internal static class DatasetQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<RegisteredDataset> Datasets => db.Set<RegisteredDataset>();

        public DbSet<DatasetVersion> DatasetVersions => db.Set<DatasetVersion>();
    }
}
