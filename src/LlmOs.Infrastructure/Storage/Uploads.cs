using System.Buffers;
using System.Security.Cryptography;
using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Files that clients send in pieces: begun, added to from where they stand, and in the end a blob.</summary>
public sealed class Uploads(DataFolder folder, ArtifactStore store, IOptions<CollectorOptions> options, TimeProvider clock)
{
    /// <summary>What the name of a claim ends in; it begins with the upload's id.</summary>
    internal const string ClaimEnd = ".claim";

    private const int BufferBytes = 1 << 20;

    /// <summary>Begins an upload. A file that is in the store already, by its stated hash, is whole at once.</summary>
    public async Task<UploadView> BeginAsync(LlmOsDb db, UploadRequest request, CancellationToken cancel)
    {
        if (request.Sha256 is { } stated && !ArtifactStore.IsHash(stated))
        {
            throw LlmOsException.Invalid("sha256", "sha256: is not a SHA-256 in lower-case hex (64 characters).");
        }

        DiskSpace.Require(folder, request.Bytes, "The upload");
        var now = clock.GetUtcNow();
        var upload = new Upload
        {
            Id = $"upload_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}",
            FileName = request.Filename,
            Bytes = request.Bytes,
            ExpectedHash = request.Sha256,
            State = UploadState.Receiving,
            CreatedAt = now,
            TouchedAt = now,
        };
        await AdoptKnownAsync(upload, cancel);
        db.Add(upload);
        await db.SaveChangesAsync(cancel);
        return ViewOf(upload);
    }

    public async Task<UploadView> GetAsync(LlmOsDb db, string id, CancellationToken cancel) => ViewOf(await FindAsync(db, id, cancel));

    /// <summary>Adds bytes from where the upload stands. What arrived stays when the sender goes away in the middle.</summary>
    /// <param name="piece">Which bytes the sender says that these are; null sends the whole file anew.</param>
    public async Task<UploadView> AppendAsync(LlmOsDb db, string id, UploadPiece? piece, Stream body, CancellationToken cancel)
    {
        await FindAsync(db, id, cancel); // only the id of an upload becomes a path
        using var claim = Claim(id);
        var upload = await FindAsync(db, id, cancel); // as who had the claim before left it
        if (upload.State == UploadState.Finished)
        {
            File.Delete(ClaimOf(id));
            return ViewOf(upload); // a sender that did not hear of its success
        }

        piece?.RequireWithin(upload.Bytes);
        await TouchAsync(db, id, cancel);
        long stands;
        await using (var part = new FileStream(PartOf(id), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1, FileOptions.Asynchronous))
        {
            Place(part, upload, piece?.From);
            await CopyAsync(body, part, upload, piece, cancel);
            stands = part.Length;
        }

        if (!await db.Uploads.AnyAsync(u => u.Id == id, cancel))
        {
            throw Gone(id);
        }

        return stands == upload.Bytes ? await FinishAsync(db, upload, cancel) : ViewOf(upload);
    }

    public async Task DeleteAsync(LlmOsDb db, string id, CancellationToken cancel)
    {
        if (await db.Uploads.Where(u => u.Id == id).ExecuteDeleteAsync(cancel) == 0)
        {
            throw LlmOsException.NotFound("upload", id);
        }

        DeleteFiles(id);
    }

    /// <summary>A finished upload, for who is about to read its blob; it counts as used now.</summary>
    /// <exception cref="LlmOsException">There is none of that id, or it is not whole.</exception>
    public async Task<Upload> RequireFinishedAsync(LlmOsDb db, string id, string field, CancellationToken cancel)
    {
        var upload = await db.Uploads.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id, cancel)
            ?? throw new LlmOsException(ErrorCode.MissingFile, "There is no upload of that id.") { Field = field, Hint = "POST /api/v1/uploads begins one." };
        if (upload.State != UploadState.Finished)
        {
            var view = ViewOf(upload);
            throw new LlmOsException(ErrorCode.Conflict, $"The upload is not whole: {view.Received} of {view.Bytes} bytes arrived.") { Field = field, Hint = $"PUT /api/v1/uploads/{id} sends the rest." };
        }

        await TouchAsync(db, id, cancel);
        return upload;
    }

    private static async Task<Upload> FindAsync(LlmOsDb db, string id, CancellationToken cancel) =>
        await db.Uploads.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id, cancel) ?? throw LlmOsException.NotFound("upload", id);

    private Task<int> TouchAsync(LlmOsDb db, string id, CancellationToken cancel)
    {
        var now = clock.GetUtcNow();
        return db.Uploads.Where(u => u.Id == id).ExecuteUpdateAsync(set => set.SetProperty(u => u.TouchedAt, now), cancel);
    }

    private string PartOf(string id) => Path.Combine(folder.Uploads, id);

    private string ClaimOf(string id) => PartOf(id) + ClaimEnd;

    /// <summary>Makes this request the only one that writes to the upload, among all hosts of the folder, from its first byte until it is a blob.</summary>
    /// <remarks>A file of its own: the part is renamed into the store, and a lock would go with it.</remarks>
    private FileStream Claim(string id)
    {
        try
        {
            return new FileStream(ClaimOf(id), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
        }
        catch (IOException e) when (File.Exists(ClaimOf(id)) && !DiskSpace.IsFull(e))
        {
            throw new LlmOsException(ErrorCode.Conflict, $"Another request is writing to {id}.", e) { Hint = "Wait until it has ended, then GET the upload to see where it stands." };
        }
    }

    private void DeleteFiles(string id)
    {
        File.Delete(PartOf(id));
        File.Delete(ClaimOf(id)); // who opens it anew finds the upload finished, or gone
    }

    private static void Place(FileStream part, Upload upload, long? from)
    {
        if (from is null)
        {
            part.SetLength(0);
        }
        else if (from != part.Length)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"The upload stands at {part.Length} of {upload.Bytes} bytes, not at {from}.") { Field = UploadPiece.Field, Hint = $"Go on with 'Content-Range: bytes {part.Length}-{upload.Bytes - 1}/{upload.Bytes}'." };
        }

        part.Position = part.Length;
    }

    private static async Task CopyAsync(Stream body, FileStream part, Upload upload, UploadPiece? piece, CancellationToken cancel)
    {
        var begin = part.Length;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await body.ReadAsync(buffer.AsMemory(0, BufferBytes), cancel)) > 0)
            {
                if (part.Length + read > upload.Bytes)
                {
                    throw new LlmOsException(ErrorCode.TooLarge, $"More bytes arrive than the {upload.Bytes} that the upload was begun with.") { Hint = "What arrived before this request is kept. Begin another upload with the right number." };
                }

                await part.WriteAsync(buffer.AsMemory(0, read), cancel);
            }

            if (piece is not null && part.Length - begin != piece.Length)
            {
                // A body of unknown length that was not what it said: which bytes these are, nobody knows.
                var came = part.Length - begin;
                part.SetLength(begin);
                piece.RequireLength(came);
            }
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            part.Flush(flushToDisk: true); // before anybody hears where the upload stands
        }
    }

    private async Task<UploadView> FinishAsync(LlmOsDb db, Upload upload, CancellationToken cancel)
    {
        Blob blob;
        try
        {
            blob = await store.TakeFileAsync(PartOf(upload.Id), cancel, upload.ExpectedHash);
        }
        catch (LlmOsException e) when (e.Code == ErrorCode.HashMismatch)
        {
            File.Delete(PartOf(upload.Id));
            throw new LlmOsException(ErrorCode.HashMismatch, $"What arrived is not the file that the upload was begun with. {e.Message}", e) { Field = "sha256", Hint = "Send the file again from its beginning." };
        }
        catch (FileNotFoundException)
        {
            throw Gone(upload.Id);
        }

        // Must complete: the bytes have moved.
        var rows = await db.Uploads.Where(u => u.Id == upload.Id).ExecuteUpdateAsync(
            set => set.SetProperty(u => u.Sha256, blob.Sha256).SetProperty(u => u.State, UploadState.Finished), CancellationToken.None);
        if (rows == 0)
        {
            throw Gone(upload.Id);
        }

        DeleteFiles(upload.Id);
        return ViewOf(await FindAsync(db, upload.Id, cancel));
    }

    /// <summary>Somebody deleted the upload while it was written to.</summary>
    private LlmOsException Gone(string id)
    {
        DeleteFiles(id);
        return LlmOsException.NotFound("upload", id);
    }

    /// <summary>Takes what is stored already for the upload; a blob that is damaged is sent again, which mends it.</summary>
    private async Task AdoptKnownAsync(Upload upload, CancellationToken cancel)
    {
        if (upload.ExpectedHash is not { } hash || !await store.KeepAsync(hash, cancel) || new FileInfo(store.PathOf(hash)).Length != upload.Bytes)
        {
            return;
        }

        try
        {
            await store.VerifyAsync(hash, cancel);
            (upload.Sha256, upload.State) = (hash, UploadState.Finished);
        }
        catch (LlmOsException e) when (e.Code is ErrorCode.HashMismatch or ErrorCode.MissingFile)
        {
            // The client sends the file.
        }
    }

    private UploadView ViewOf(Upload upload)
    {
        var part = new FileInfo(PartOf(upload.Id));
        return new UploadView(
            upload.Id,
            upload.FileName,
            upload.Bytes,
            upload.State == UploadState.Finished ? upload.Bytes : part.Exists ? part.Length : 0,
            upload.Sha256,
            upload.State,
            upload.CreatedAt,
            upload.TouchedAt + TimeSpan.FromDays(options.Value.UploadDays));
    }
}
