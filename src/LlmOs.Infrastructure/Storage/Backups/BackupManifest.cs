using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>Where a file of a backup belongs.</summary>
internal enum BackupArea
{
    /// <summary>The copy of the database.</summary>
    Database,

    /// <summary>Keys that seal the browser's sessions.</summary>
    Keys,

    /// <summary>Bytes of uploads that are under way.</summary>
    Uploads,
}

/// <summary>A file of a backup that is no blob; it lies at <c>{area}/{name}</c>.</summary>
/// <param name="Name">Without a path.</param>
internal sealed record BackupFile(BackupArea Area, string Name, string Sha256, long Bytes)
{
    /// <summary>Where it lies below the backup's folder.</summary>
    public string PathBelow(string backup) => Path.Combine(backup, Area.ToString().ToLowerInvariant(), Name);
}

/// <summary>A table of PostgreSQL, as COPY wrote it.</summary>
/// <param name="Numbered">The column that the database numbers; null where none is.</param>
/// <param name="LastNumber">The last number that was given out; null where none was.</param>
internal sealed record BackupTable(string Name, string File, IReadOnlyList<string> Columns, long Rows, string? Numbered, long? LastNumber);

/// <summary>What a backup holds. Written last, so a folder without it is no backup.</summary>
internal sealed record BackupManifest
{
    public const string FileName = "manifest.json";

    /// <summary>The file in which the bytes of each blob lie is <c>blobs/{first two digits}/{hash}</c>.</summary>
    public const string BlobFolder = "blobs";

    public const int CurrentFormat = 1;

    public required int Format { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The version of the server that wrote it.</summary>
    public required string Server { get; init; }

    public required bool IsPostgres { get; init; }

    /// <summary>Of the store that was saved; the restored one gets another.</summary>
    public required string StoreId { get; init; }

    /// <summary>The migrations that the database had, in their order.</summary>
    public required IReadOnlyList<string> Migrations { get; init; }

    /// <summary>On PostgreSQL: in an order in which they can be filled.</summary>
    public IReadOnlyList<BackupTable> Tables { get; init; } = [];

    public required IReadOnlyList<BackupFile> Files { get; init; }

    public required IReadOnlyList<Blob> Blobs { get; init; }

    /// <summary>Blobs that the database refers to, and that were damaged or gone when the backup was made.</summary>
    public IReadOnlyList<string> Lacking { get; init; } = [];

    public static string BlobPath(string backup, string sha256) => Path.Combine(backup, BlobFolder, sha256[..2], sha256);

    public async Task WriteAsync(string backup, CancellationToken cancel)
    {
        await using var file = new FileStream(Path.Combine(backup, FileName), FileMode.Create, FileAccess.Write, FileShare.None);
        await JsonSerializer.SerializeAsync(file, this, LlmOsJson.Options, cancel);
        file.Flush(flushToDisk: true);
    }

    /// <exception cref="LlmOsException">There is no backup, or one that this server does not read.</exception>
    public static async Task<BackupManifest> ReadAsync(string backup, CancellationToken cancel)
    {
        var path = Path.Combine(backup, FileName);
        if (!File.Exists(path))
        {
            throw new LlmOsException(ErrorCode.MissingFile, $"'{backup}' is no backup: it lacks {FileName}.") { Hint = "Name the folder that llmos backup wrote." };
        }

        BackupManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BackupManifest>(await File.ReadAllBytesAsync(path, cancel), LlmOsJson.Options) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, $"The backup's {FileName} cannot be read: {e.Message}", e);
        }

        if (manifest.Format != CurrentFormat)
        {
            throw new LlmOsException(ErrorCode.UnsupportedFormat, $"The backup has format {manifest.Format}; this server reads {CurrentFormat}.") { Hint = "Restore it with the release that wrote it, or a newer one." };
        }

        // The names become paths.
        if (manifest.Files.FirstOrDefault(file => file.Name.Length == 0 || file.Name != Path.GetFileName(file.Name) || file.Name is "." or "..") is { } bad)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, $"The backup names a file '{Shown.Of(bad.Name)}', which is no file name.");
        }

        return manifest.Blobs.All(blob => ArtifactStore.IsHash(blob.Sha256)) ? manifest : throw new LlmOsException(ErrorCode.CorruptFile, "The backup names a stored file that is no SHA-256.");
    }
}

/// <summary>What <c>backup</c> and <c>restore</c> say when they are done.</summary>
/// <param name="Lacking">The SHA-256 of files that the database refers to and the backup lacks.</param>
public sealed record BackupReport(string Folder, int Files, long Bytes, IReadOnlyList<string> Lacking);
