using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// A file that a client sends in pieces. While it is under way its bytes lie in <c>uploads/{id}</c> of the data folder, and
/// the length of that file is the truth about what has arrived; once whole it is a blob.
/// </summary>
public sealed class Upload
{
    public long Seq { get; init; }

    /// <summary><c>upload_</c> and 24 hex digits; not guessable.</summary>
    public required string Id { get; init; }

    public required string FileName { get; init; }

    /// <summary>What the whole file has.</summary>
    public required long Bytes { get; init; }

    /// <summary>What the client says the hash is; null when it did not.</summary>
    public string? ExpectedHash { get; init; }

    /// <summary>The blob; null until the upload is whole.</summary>
    public string? Sha256 { get; set; }

    public required UploadState State { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last written to or used; what nobody touches for long is deleted.</summary>
    public required DateTimeOffset TouchedAt { get; set; }
}

internal sealed class UploadTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<Upload>(upload =>
    {
        upload.ToTable("uploads");
        upload.HasKey(u => u.Seq);
        upload.HasIndex(u => u.Id).IsUnique();
        upload.HasIndex(u => u.TouchedAt);
        upload.Property(u => u.Id).HasMaxLength(40).IsRequired();
        upload.Property(u => u.FileName).HasMaxLength(256);
        upload.Property(u => u.ExpectedHash).HasMaxLength(64);
        upload.Property(u => u.Sha256).HasMaxLength(64);
    });
}

/// <summary>The table of uploads.</summary>
public static class UploadQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<Upload> Uploads => db.Set<Upload>();
    }
}
