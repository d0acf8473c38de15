using System.Security.Cryptography;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Files;

/// <summary>Files that clients give for a purpose and name by their id, and files that jobs make for them.</summary>
public sealed class ClientFiles(ArtifactStore store, DataFolder folder, TimeProvider clock)
{
    /// <summary>Characters of a file's name.</summary>
    public const int MaxName = 256;

    /// <summary>Stores a file. What is stored is whole or not there.</summary>
    /// <param name="life">After which it is deleted; null: never.</param>
    /// <param name="id">The id that was given out for it; null makes one.</param>
    public async Task<ClientFile> AddAsync(LlmOsDb db, FileOwner owner, string fileName, string purpose, Blob content, TimeSpan? life, CancellationToken cancel, string? id = null)
    {
        var now = clock.GetUtcNow();
        var file = new ClientFile
        {
            Id = id ?? NewId("file-"),
            FileName = fileName,
            Purpose = purpose,
            Bytes = content.Bytes,
            Sha256 = content.Sha256,
            Owner = owner.Id,
            CreatedAt = now,
            ExpiresAt = now + life,
        };
        db.Add(file);
        await db.SaveChangesAsync(cancel);
        return file;
    }

    /// <summary>The name that a sender gave a file, without folders: whoever saves the file under it stays in the folder where they are.</summary>
    /// <exception cref="LlmOsException">Nothing that can be a name is left.</exception>
    public static string NameOf(string fileName, string field) => FormParts.PlainName(fileName) is { Length: > 0 and <= MaxName } name && !name.Any(char.IsControl) && name.Trim('.', ' ').Length > 0
        ? name
        : throw LlmOsException.Invalid(field, $"{field}: expected a file name of 1 to {MaxName} characters.");

    /// <summary>Refuses what is larger than the free disk, before it is read.</summary>
    /// <param name="bytes">Null: not known.</param>
    public void RequireRoom(long? bytes) => DiskSpace.Require(folder, bytes ?? 0, "The file");

    /// <summary>Puts a stream into the store, for <see cref="AddAsync"/>.</summary>
    public Task<Blob> StoreAsync(Stream content, CancellationToken cancel) => store.PutAsync(content, cancel);

    /// <summary>A file that the caller may see.</summary>
    /// <exception cref="LlmOsException">There is none of that id, it is another's, or its time is over.</exception>
    public async Task<ClientFile> FindAsync(LlmOsDb db, FileOwner owner, string id, CancellationToken cancel, string? field = null) =>
        await Visible(db, owner).AsNoTracking().SingleOrDefaultAsync(f => f.Id == id, cancel) ?? throw LlmOsException.NotFound("file", id, field: field);

    /// <summary>A page of the caller's files in the order of their making.</summary>
    /// <param name="after">The last file of the page before.</param>
    public async Task<IReadOnlyList<ClientFile>> ListAsync(LlmOsDb db, FileOwner owner, string? purpose, string? after, bool newestFirst, int count, CancellationToken cancel)
    {
        var files = Visible(db, owner).AsNoTracking();
        if (purpose is not null)
        {
            files = files.Where(f => f.Purpose == purpose);
        }

        if (after is not null)
        {
            var seq = await Visible(db, owner).Where(f => f.Id == after).Select(f => (long?)f.Seq).SingleOrDefaultAsync(cancel)
                ?? throw LlmOsException.Invalid("after", $"after: there is no file '{Shown.Of(after)}'; send the last_id of the page before.");
            files = newestFirst ? files.Where(f => f.Seq < seq) : files.Where(f => f.Seq > seq);
        }

        return await (newestFirst ? files.OrderByDescending(f => f.Seq) : files.OrderBy(f => f.Seq)).Take(count).ToListAsync(cancel);
    }

    public async Task DeleteAsync(LlmOsDb db, FileOwner owner, string id, CancellationToken cancel)
    {
        if (await Visible(db, owner).Where(f => f.Id == id).ExecuteDeleteAsync(cancel) == 0)
        {
            throw LlmOsException.NotFound("file", id);
        }
    }

    internal static string NewId(string mark) => mark + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12));

    private IQueryable<ClientFile> Visible(LlmOsDb db, FileOwner owner)
    {
        var now = clock.GetUtcNow();
        var files = db.Files.Where(f => f.ExpiresAt == null || f.ExpiresAt > now);
        return owner.SeesAll ? files : files.Where(f => f.Owner == owner.Id);
    }
}
