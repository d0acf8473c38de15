using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Files;

/// <summary>
/// Files that clients send in parts, in any order and several at once; a part that failed is sent again. When they are put
/// together the parts that are named become a file.
/// </summary>
public sealed class FilesInParts(ClientFiles files, ArtifactStore store, DataFolder folder, TimeProvider clock)
{
    /// <summary>Bytes of a part.</summary>
    public const long MaxPart = 64 << 20;

    /// <summary>How long parts are taken.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(1);

    public async Task<PartedFile> BeginAsync(LlmOsDb db, FileOwner owner, FilePartsRequest request, CancellationToken cancel)
    {
        var purpose = FilePurposes.RequireGiven(request.Purpose);
        var life = request.ExpiresAfter is { } after ? FileLife.Require(after.Anchor, after.Seconds) : FilePurposes.DefaultLife(purpose);
        DiskSpace.Require(folder, request.Bytes, "The upload");
        var now = clock.GetUtcNow();
        var parted = new PartedFile
        {
            Id = ClientFiles.NewId("upload_"),
            FileName = ClientFiles.NameOf(request.Filename, "filename"),
            Purpose = purpose,
            Bytes = request.Bytes,
            Owner = owner.Id,
            State = PartedFileState.Pending,
            CreatedAt = now,
            ExpiresAt = now + Life,
            FileSeconds = life is { } kept ? (long)kept.TotalSeconds : null,
        };
        db.Add(parted);
        await db.SaveChangesAsync(cancel);
        return parted;
    }

    /// <summary>Whether the time for parts is over before the file was put together.</summary>
    public bool IsExpired(PartedFile parted) => parted.State == PartedFileState.Pending && parted.ExpiresAt <= clock.GetUtcNow();

    /// <summary>Refuses parts for a file that takes none.</summary>
    public async Task<PartedFile> RequirePendingAsync(LlmOsDb db, FileOwner owner, string id, CancellationToken cancel)
    {
        var parted = await FindAsync(db, owner, id, cancel);
        return parted.State == PartedFileState.Pending && !IsExpired(parted) ? parted : throw Ended(parted);
    }

    /// <summary>Keeps a part.</summary>
    public async Task<FilePart> AddPartAsync(LlmOsDb db, PartedFile parted, Blob content, CancellationToken cancel)
    {
        var part = new FilePart { Id = ClientFiles.NewId("part_"), UploadId = parted.Id, Bytes = content.Bytes, Sha256 = content.Sha256, CreatedAt = clock.GetUtcNow() };
        db.Add(part);
        await db.SaveChangesAsync(cancel);
        return part;
    }

    /// <summary>Makes a file of parts. Asked again after it was made, it answers with the same file.</summary>
    /// <exception cref="LlmOsException">A part is missing, or together they are not the file that was announced.</exception>
    public async Task<(PartedFile Parted, ClientFile File)> CompleteAsync(LlmOsDb db, FileOwner owner, string id, CompletePartsRequest request, CancellationToken cancel)
    {
        var parted = await FindAsync(db, owner, id, cancel);
        if (parted is { State: PartedFileState.Completed, FileId: { } made })
        {
            return (parted, await files.FindAsync(db, owner, made, cancel));
        }

        await RequirePendingAsync(db, owner, id, cancel);
        var parts = await PartsAsync(db, parted, request.PartIds, cancel);
        var blob = await JoinAsync(parts, request.Md5, cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var fileId = ClientFiles.NewId("file-");
        var won = await db.PartedFiles.Where(p => p.Id == id && p.State == PartedFileState.Pending)
            .ExecuteUpdateAsync(set => set.SetProperty(p => p.State, PartedFileState.Completed).SetProperty(p => p.FileId, fileId), cancel);
        if (won == 0)
        {
            // Another request was faster; where it completed the file, this one gets the same.
            var other = await FindAsync(db, owner, id, cancel);
            return other is { State: PartedFileState.Completed, FileId: { } theirs } ? (other, await files.FindAsync(db, owner, theirs, cancel)) : throw Ended(other);
        }

        var life = parted.FileSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        var file = await files.AddAsync(db, new FileOwner(parted.Owner, owner.SeesAll), parted.FileName, parted.Purpose, blob, life, cancel, fileId);
        await db.FileParts.Where(p => p.UploadId == id).ExecuteDeleteAsync(cancel);
        await transaction.CommitAsync(cancel);
        return (await FindAsync(db, owner, id, cancel), file);
    }

    public async Task<PartedFile> CancelAsync(LlmOsDb db, FileOwner owner, string id, CancellationToken cancel)
    {
        var parted = await FindAsync(db, owner, id, cancel);
        if (await db.PartedFiles.Where(p => p.Id == id && p.State == PartedFileState.Pending).ExecuteUpdateAsync(set => set.SetProperty(p => p.State, PartedFileState.Cancelled), cancel) == 0
            && parted.State != PartedFileState.Cancelled)
        {
            throw Ended(parted);
        }

        await db.FileParts.Where(p => p.UploadId == id).ExecuteDeleteAsync(cancel);
        return await FindAsync(db, owner, id, cancel);
    }

    private static async Task<PartedFile> FindAsync(LlmOsDb db, FileOwner owner, string id, CancellationToken cancel) =>
        await db.PartedFiles.AsNoTracking().SingleOrDefaultAsync(p => p.Id == id && (owner.SeesAll || p.Owner == owner.Id), cancel) ?? throw LlmOsException.NotFound("upload", id);

    private LlmOsException Ended(PartedFile parted) => new(
        ErrorCode.InvalidRequest,
        IsExpired(parted) ? $"The upload '{parted.Id}' took parts for an hour, which is over." : $"The upload '{parted.Id}' is {(parted.State == PartedFileState.Completed ? "completed" : "cancelled")}.")
    {
        Hint = "Begin another one.",
    };

    /// <summary>The named parts, in the named order.</summary>
    private static async Task<IReadOnlyList<FilePart>> PartsAsync(LlmOsDb db, PartedFile parted, IReadOnlyList<string> ids, CancellationToken cancel)
    {
        var known = await db.FileParts.AsNoTracking().Where(p => p.UploadId == parted.Id).ToDictionaryAsync(p => p.Id, cancel);
        var parts = ids.Select((id, index) => known.TryGetValue(id, out var part)
            ? part
            : throw LlmOsException.Invalid($"part_ids[{index}]", $"part_ids[{index}]: the upload has no part '{Shown.Of(id)}'.")).ToList();
        var bytes = parts.Sum(part => part.Bytes);
        return bytes == parted.Bytes
            ? parts
            : throw LlmOsException.Invalid("part_ids", $"part_ids: the parts have {bytes} bytes; the upload was begun with {parted.Bytes}.");
    }

    private async Task<Blob> JoinAsync(IReadOnlyList<FilePart> parts, string? md5, CancellationToken cancel)
    {
        if (md5 is not null)
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
            await using var read = Open(parts);
            var buffer = new byte[1 << 16];
            for (int count; (count = await read.ReadAsync(buffer, cancel)) > 0;)
            {
                hash.AppendData(buffer, 0, count);
            }

            var found = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (!found.Equals(md5, StringComparison.OrdinalIgnoreCase))
            {
                throw LlmOsException.Invalid("md5", $"md5: the parts together hash to {found}, not to '{Shown.Of(md5)}'.");
            }
        }

        await using var content = Open(parts);
        return await store.PutAsync(content, cancel);
    }

    private PartStream Open(IReadOnlyList<FilePart> parts) => new([.. parts.Select(part => store.PathOf(part.Sha256))]);
}
