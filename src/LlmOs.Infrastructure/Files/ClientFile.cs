using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Files;

/// <summary>A file that a client gave for a purpose; its content is a blob.</summary>
public sealed class ClientFile
{
    /// <summary>Order of creation.</summary>
    public long Seq { get; init; }

    /// <summary><c>file-</c> and 24 hex digits; not guessable.</summary>
    public required string Id { get; init; }

    public required string FileName { get; init; }

    /// <summary>One of <see cref="FilePurposes"/>.</summary>
    public required string Purpose { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>The id of the key or user whose file it is; null where keys are off.</summary>
    public required string? Owner { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is deleted by itself; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A file that is sent in parts. Its parts are blobs, so that a part that was answered outlives the server.</summary>
public sealed class PartedFile
{
    public long Seq { get; init; }

    /// <summary><c>upload_</c> and 24 hex digits; not guessable.</summary>
    public required string Id { get; init; }

    public required string FileName { get; init; }

    public required string Purpose { get; init; }

    /// <summary>What the whole file has.</summary>
    public required long Bytes { get; init; }

    public required string? Owner { get; init; }

    public required PartedFileState State { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Until when parts are taken.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Seconds after which the file that it becomes is deleted; null: never.</summary>
    public long? FileSeconds { get; init; }

    /// <summary>The file that it became.</summary>
    public string? FileId { get; set; }
}

/// <summary>How far a file in parts has come.</summary>
public enum PartedFileState
{
    Pending,
    Completed,
    Cancelled,
}

/// <summary>A part of a file.</summary>
public sealed class FilePart
{
    public long Seq { get; init; }

    /// <summary><c>part_</c> and 24 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>The id of the file in parts.</summary>
    public required string UploadId { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}

internal sealed class FileTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<ClientFile>(file =>
        {
            file.ToTable("files");
            file.HasKey(f => f.Seq);
            file.HasIndex(f => f.Id).IsUnique();
            file.HasIndex(f => f.Owner);
            file.HasIndex(f => f.ExpiresAt);
            file.Property(f => f.Id).HasMaxLength(40).IsRequired();
            file.Property(f => f.FileName).HasMaxLength(256);
            file.Property(f => f.Purpose).HasMaxLength(40);
            file.Property(f => f.Sha256).HasMaxLength(64);
            file.Property(f => f.Owner).HasMaxLength(40);
        });
        model.Entity<PartedFile>(parted =>
        {
            parted.ToTable("parted_files");
            parted.HasKey(p => p.Seq);
            parted.HasIndex(p => p.Id).IsUnique();
            parted.HasIndex(p => p.ExpiresAt);
            parted.Property(p => p.Id).HasMaxLength(40).IsRequired();
            parted.Property(p => p.FileName).HasMaxLength(256);
            parted.Property(p => p.Purpose).HasMaxLength(40);
            parted.Property(p => p.Owner).HasMaxLength(40);
            parted.Property(p => p.FileId).HasMaxLength(40);
        });
        model.Entity<FilePart>(part =>
        {
            part.ToTable("file_parts");
            part.HasKey(p => p.Seq);
            part.HasIndex(p => p.Id).IsUnique();
            part.HasIndex(p => p.UploadId);
            part.Property(p => p.Id).HasMaxLength(40).IsRequired();
            part.Property(p => p.UploadId).HasMaxLength(40);
            part.Property(p => p.Sha256).HasMaxLength(64);
        });
    }
}

/// <summary>The tables of files.</summary>
internal static class FileQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<ClientFile> Files => db.Set<ClientFile>();

        public DbSet<PartedFile> PartedFiles => db.Set<PartedFile>();

        public DbSet<FilePart> FileParts => db.Set<FilePart>();
    }
}
