using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Registry;

/// <summary>A model by name; its versions are numbered 1, 2, ... and never change.</summary>
public sealed class RegisteredModel : IRowVersion
{
    public long Id { get; init; }

    public required string Name { get; init; }

    /// <summary>
    /// The highest number given out. A number is never given twice, not even after a failure or a deletion: a model that was
    /// deleted keeps its row, with the number negative, and is otherwise as if it were not there.
    /// </summary>
    public int LastVersion { get; init; }

    /// <summary>The model card that somebody wrote here, in Markdown; null shows the one that came with a version.</summary>
    public string? Card { get; set; }

    /// <summary>Since when it is out of use: not listed, and no version is added.</summary>
    public DateTimeOffset? ArchivedAt { get; set; }

    /// <summary>The digest of the version that came with the server and was listed last; null where none was.</summary>
    public string? ShippedDigest { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Counts the changes to card, tags and archiving; the entity tag of the API.</summary>
    public long RowVersion { get; set; }

    public List<ModelVersion> Versions { get; init; } = [];

    public List<ModelAlias> Aliases { get; init; } = [];

    public List<ModelTag> Tags { get; init; } = [];
}

/// <summary>One version: its files by hash, and what is known of it. Only state, tags and metrics change later.</summary>
public sealed class ModelVersion
{
    public long Id { get; init; }

    public long ModelId { get; init; }

    public RegisteredModel Model { get; init; } = null!; // EF fills it where a query includes it

    public required int Number { get; init; }

    public required ModelVersionState State { get; set; }

    /// <summary>The pipeline task: <c>text-generation</c>.</summary>
    public required string Task { get; init; }

    /// <summary>The published class: <c>LlamaForCausalLM</c>.</summary>
    public required string Architecture { get; init; }

    public required long Parameters { get; init; }

    /// <summary>Tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>What it is served in: <c>f32</c>.</summary>
    public required string Precision { get; init; }

    /// <summary>Of all files together.</summary>
    public required long Bytes { get; init; }

    public string? License { get; init; }

    /// <summary>SHA-256 over paths and hashes of the files: equal for equal content.</summary>
    public required string Digest { get; init; }

    public int? ParityPrompts { get; init; }

    public double? ParityMaxAbsDiff { get; init; }

    public bool? ParityTemplateEqual { get; init; }

    /// <summary>The version it was made from, <c>name:3</c>; it need not be stored here.</summary>
    public string? LineageParent { get; init; }

    /// <summary>How it was made from the parent; null without one, or where nobody said.</summary>
    public LineageRelation? LineageRelation { get; init; }

    public string? LineageJob { get; init; }

    /// <summary>Where its files came from, with the revision that was read: <c>hf:org/name@commit</c>.</summary>
    public string? LineageSource { get; init; }

    /// <summary>JSON list of texts.</summary>
    public string LineageDatasets { get; init; } = "[]";

    /// <summary>JSON list of objects, one for each evaluation.</summary>
    public string Metrics { get; set; } = "[]";

    public required DateTimeOffset CreatedAt { get; init; }

    public List<ModelFile> Files { get; init; } = [];

    public List<ModelVersionTag> Tags { get; init; } = [];

    /// <summary><c>name:3</c>; needs <see cref="Model"/>.</summary>
    public string Ref => $"{Model.Name}:{Number}";

    /// <summary>A file by its path in the published layout, or null; needs <see cref="Files"/>.</summary>
    public ModelFile? FindFile(string path) => Files.Find(f => f.Path == path);

    /// <summary>The version as the API shows it; needs <see cref="Model"/>, <see cref="Files"/> and <see cref="Tags"/>.</summary>
    public ModelVersionView ToView() => new(
        Model.Name,
        Number,
        State,
        Task,
        Architecture,
        Parameters,
        ContextLength,
        Vocabulary,
        Precision,
        Bytes,
        License,
        [.. Files.OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => f.ToView())],
        ParityPrompts is { } prompts && ParityMaxAbsDiff is { } difference ? new ParityView(prompts, difference, ParityTemplateEqual) : null,
        new LineageView(LineageParent, LineageJob, Read<List<string>>(LineageDatasets)) { Relation = LineageRelation, Source = LineageSource },
        Read<List<JsonElement>>(Metrics),
        Tags.OrderBy(t => t.Key, StringComparer.Ordinal).ToDictionary(t => t.Key, t => t.Value),
        CreatedAt);

    private static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, LlmOsJson.Options)!;
}

/// <summary>A file of a version: where it stands in the published layout, and the blob that holds it.</summary>
public sealed class ModelFile
{
    public long Id { get; init; }

    public long VersionId { get; init; }

    public required string Path { get; init; }

    public required string Sha256 { get; init; }

    public required long Bytes { get; init; }

    public ModelFileView ToView() => new(Path, Sha256, Bytes);
}

/// <summary>A word that stands for one version of a model; it can be pointed elsewhere.</summary>
public sealed class ModelAlias
{
    public const string Latest = "latest";

    public long Id { get; init; }

    public long ModelId { get; init; }

    public required string Name { get; init; }

    /// <summary>The version's number.</summary>
    public required int Version { get; init; }

    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>A pair of texts on a model, to find it by.</summary>
public sealed class ModelTag
{
    public long Id { get; init; }

    public long ModelId { get; init; }

    public required string Key { get; init; }

    public required string Value { get; set; }
}

/// <summary>A pair of texts on a version.</summary>
public sealed class ModelVersionTag
{
    public long Id { get; init; }

    public long VersionId { get; init; }

    public required string Key { get; init; }

    public required string Value { get; set; }
}

/// <summary>One move of an alias. Written in the transaction that moves it, and never changed.</summary>
public sealed class AliasChange
{
    /// <summary>Order of the moves.</summary>
    public long Id { get; init; }

    public required long ModelId { get; init; }

    public required string Alias { get; init; }

    public required AliasChangeKind Kind { get; init; }

    /// <summary>The version it pointed at before; null when there was no such alias.</summary>
    public int? From { get; init; }

    /// <summary>The version it points at since; null when it was taken away.</summary>
    public int? To { get; init; }

    /// <summary>The key that asked for it, or the job that published; null at the server's start.</summary>
    public string? By { get; init; }

    public string? Reason { get; init; }

    public required DateTimeOffset At { get; init; }
}

internal sealed class RegistryTables : ITableMap
{
    public const string Models = "models";
    public const string Aliases = "model_aliases";

    public void Map(ModelBuilder model)
    {
        model.Entity<RegisteredModel>(registered =>
        {
            registered.ToTable(Models);
            registered.HasIndex(m => m.Name).IsUnique();
            registered.Property(m => m.Name).HasMaxLength(256);
            registered.Property(m => m.ShippedDigest).HasMaxLength(64);
            registered.HasMany(m => m.Versions).WithOne(v => v.Model).HasForeignKey(v => v.ModelId);
            registered.HasMany(m => m.Aliases).WithOne().HasForeignKey(a => a.ModelId);
            registered.HasMany(m => m.Tags).WithOne().HasForeignKey(t => t.ModelId);
        });
        model.Entity<ModelVersion>(version =>
        {
            version.ToTable("model_versions");
            version.HasIndex(v => new { v.ModelId, v.Number }).IsUnique();
            version.Property(v => v.Task).HasMaxLength(64);
            version.Property(v => v.Architecture).HasMaxLength(128);
            version.Property(v => v.Precision).HasMaxLength(16);
            version.Property(v => v.License).HasMaxLength(128);
            version.Property(v => v.Digest).HasMaxLength(64);
            version.HasIndex(v => v.LineageParent);
            version.Property(v => v.LineageParent).HasMaxLength(320);
            version.Property(v => v.LineageJob).HasMaxLength(40);
            version.Property(v => v.LineageSource).HasMaxLength(4096);
            version.Ignore(v => v.Ref);
            version.HasMany(v => v.Files).WithOne().HasForeignKey(f => f.VersionId);
            version.HasMany(v => v.Tags).WithOne().HasForeignKey(t => t.VersionId);
        });
        model.Entity<ModelFile>(file =>
        {
            file.ToTable("model_files");
            file.HasIndex(f => new { f.VersionId, f.Path }).IsUnique();
            file.HasIndex(f => f.Sha256);
            file.Property(f => f.Path).HasMaxLength(256);
            file.Property(f => f.Sha256).HasMaxLength(64);
        });
        model.Entity<ModelAlias>(alias =>
        {
            alias.ToTable(Aliases);
            alias.HasIndex(a => new { a.ModelId, a.Name }).IsUnique();
            alias.Property(a => a.Name).HasMaxLength(64);
        });
        model.Entity<ModelTag>(tag =>
        {
            tag.ToTable("model_tags");
            tag.HasIndex(t => new { t.ModelId, t.Key }).IsUnique();
            tag.HasIndex(t => new { t.Key, t.Value });
            tag.Property(t => t.Key).HasMaxLength(64);
            tag.Property(t => t.Value).HasMaxLength(256);
        });
        model.Entity<ModelVersionTag>(tag =>
        {
            tag.ToTable("model_version_tags");
            tag.HasIndex(t => new { t.VersionId, t.Key }).IsUnique();
            tag.HasIndex(t => new { t.Key, t.Value });
            tag.Property(t => t.Key).HasMaxLength(64);
            tag.Property(t => t.Value).HasMaxLength(256);
        });
        model.Entity<AliasChange>(change =>
        {
            change.ToTable("model_alias_changes");
            change.HasIndex(c => new { c.ModelId, c.Alias, c.Id });
            change.HasOne<RegisteredModel>().WithMany().HasForeignKey(c => c.ModelId);
            change.Property(c => c.Alias).HasMaxLength(64);
            change.Property(c => c.By).HasMaxLength(64);
            change.Property(c => c.Reason).HasMaxLength(500);
        });
    }
}

/// <summary>The tables of the registry.</summary>
public static class RegistryQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<RegisteredModel> Models => db.Set<RegisteredModel>();

        public DbSet<ModelVersion> ModelVersions => db.Set<ModelVersion>();

        public DbSet<ModelAlias> ModelAliases => db.Set<ModelAlias>();

        public DbSet<AliasChange> AliasChanges => db.Set<AliasChange>();
    }
}
