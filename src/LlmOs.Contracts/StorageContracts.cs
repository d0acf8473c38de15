using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>Where an upload stands.</summary>
public enum UploadState
{
    /// <summary>More bytes are awaited.</summary>
    Receiving,

    /// <summary>Whole, and its hash is known.</summary>
    Finished,
}

/// <summary>Begins an upload.</summary>
public sealed record UploadRequest
{
    /// <summary>The file's name, without a path.</summary>
    [StringLength(256, MinimumLength = 1)]
    public required string Filename { get; init; }

    /// <summary>The length of the whole file.</summary>
    [Range(1L, 1L << 50)]
    public required long Bytes { get; init; }

    /// <summary>Its SHA-256 in lower-case hex. When stated, the file is checked against it, and not sent again if it is stored already.</summary>
    [StringLength(64)]
    public string? Sha256 { get; init; }
}

/// <summary>An upload.</summary>
/// <param name="Received">Bytes that have arrived; go on from here.</param>
/// <param name="Sha256">Null until it is whole.</param>
/// <param name="ExpiresAt">When it is forgotten unless somebody goes on with it or imports it.</param>
public sealed record UploadView(
    string Id,
    string Filename,
    long Bytes,
    long Received,
    string? Sha256,
    UploadState State,
    DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt);

/// <summary>One kind of file that a collection looked at.</summary>
/// <param name="What"><c>blobs</c>, <c>quarantine</c>, <c>leftovers</c>, <c>uploads</c>, <c>jobs</c>, <c>graphs</c>, <c>cards</c>, <c>files</c>.</param>
/// <param name="Files">Files that were taken, or would be.</param>
public sealed record CollectedView(string What, int Files, long Bytes)
{
    /// <summary>True where the files went into the quarantine, and their room is not free yet.</summary>
    public bool SetAside { get; init; }

    /// <summary>Why nothing of this kind was taken; null where nothing kept the collection from it.</summary>
    public string? Stopped { get; init; }
}

/// <summary>What a collection took, or would take.</summary>
/// <param name="FreedBytes">Of what was deleted for good.</param>
public sealed record CollectReport(bool Preview, long FreedBytes, IReadOnlyList<CollectedView> Items)
{
    /// <summary>Why the collection stopped before it was done; null when it did not.</summary>
    public string? Stopped { get; init; }
}

/// <summary>Asks for a check of every stored file; there is nothing to choose.</summary>
public sealed record VerifyRequest;

/// <summary>The result of a job that checked the stored files.</summary>
/// <param name="Blobs">Files that were read.</param>
/// <param name="Damaged">The SHA-256 by which each damaged file is stored.</param>
public sealed record VerifyReport(int Blobs, long Bytes, IReadOnlyList<string> Damaged)
{
    /// <summary>The SHA-256 of files that the database refers to and the store lacks.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
}
