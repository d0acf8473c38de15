using System.Buffers;
using System.Security.Cryptography;
using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Files that clients send in pieces: begun, added to from where they stand, and in the end a blob.</summary>
public sealed class Uploads(DataFolder folder, ArtifactStore store, IOptions<CollectorOptions> options, TimeProvider clock)
{
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
    /// <param name="from">Where the sender believes the upload stands; null sends the whole file anew.</param>
    public async Task<UploadView> AppendAsync(LlmOsDb db, string id, long? from, Stream body, CancellationToken cancel)
    {
        var upload = await FindAsync(db, id, cancel);
        if (upload.State == UploadState.Finished)
        {
            return ViewOf(upload); // a sender that did not hear of its success
        }

        upload.TouchedAt = clock.GetUtcNow();
        await db.SaveChangesAsync(cancel);
        await using (var part = Open(upload))
        {
            Place(part, upload, from);
            await CopyAsync(body, part, upload, cancel);
        }

        if (new FileInfo(PartOf(upload)).Length == upload.Bytes)
        {
            await FinishAsync(db, upload, cancel);
        }

        return ViewOf(upload);
    }

    public async Task DeleteAsync(LlmOsDb db, string id, CancellationToken cancel)
    {
        var upload = await FindAsync(db, id, cancel);
        db.Remove(upload);
        await db.SaveChangesAsync(cancel);
        File.Delete(PartOf(upload));
    }

    /// <summary>A finished upload, for who is about to read its blob; it counts as used now.</summary>
    /// <exception cref="LlmOsException">There is none of that id, or it is not whole.</exception>
    public async Task<Upload> RequireFinishedAsync(LlmOsDb db, string id, string field, CancellationToken cancel)
    {
        var upload = await db.Uploads.SingleOrDefaultAsync(u => u.Id == id, cancel)
            ?? throw new LlmOsException(ErrorCode.MissingFile, "There is no upload of that id.") { Field = field, Hint = "POST /api/v1/uploads begins one." };
        if (upload.State != UploadState.Finished)
        {
            var view = ViewOf(upload);
            throw new LlmOsException(ErrorCode.Conflict, $"The upload is not whole: {view.Received} of {view.Bytes} bytes arrived.") { Field = field, Hint = $"PUT /api/v1/uploads/{id} sends the rest." };
        }

        upload.TouchedAt = clock.GetUtcNow();
        await db.SaveChangesAsync(cancel);
        return upload;
    }

    private static async Task<Upload> FindAsync(LlmOsDb db, string id, CancellationToken cancel) =>
        await db.Uploads.SingleOrDefaultAsync(u => u.Id == id, cancel) ?? throw LlmOsException.NotFound("upload", id);

    private string PartOf(Upload upload) => Path.Combine(folder.Uploads, upload.Id);

    private FileStream Open(Upload upload)
    {
        try
        {
            return new FileStream(PartOf(upload), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.Asynchronous);
        }
        catch (IOException e) when (File.Exists(PartOf(upload)) && !DiskSpace.IsFull(e))
        {
            throw new LlmOsException(ErrorCode.Conflict, $"Another request is writing to {upload.Id}.", e) { Hint = "Wait until it has ended, then GET the upload to see where it stands." };
        }
    }

    private static void Place(FileStream part, Upload upload, long? from)
    {
        if (from is null)
        {
            part.SetLength(0);
        }
        else if (from != part.Length)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"The upload stands at {part.Length} of {upload.Bytes} bytes, not at {from}.") { Field = "Content-Range", Hint = $"Go on with 'Content-Range: bytes {part.Length}-{upload.Bytes - 1}/{upload.Bytes}'." };
        }

        part.Position = part.Length;
    }

    private static async Task CopyAsync(Stream body, FileStream part, Upload upload, CancellationToken cancel)
    {
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

    private async Task FinishAsync(LlmOsDb db, Upload upload, CancellationToken cancel)
    {
        var blob = await store.TakeFileAsync(PartOf(upload), cancel);
        if (upload.ExpectedHash is { } expected && blob.Sha256 != expected)
        {
            // The bytes are a blob that nothing refers to; the collector takes it. The upload stands at nothing again.
            throw new LlmOsException(ErrorCode.HashMismatch, $"What arrived hashes to {blob.Sha256}, not to the {expected} that the upload was begun with.") { Field = "sha256", Hint = "Send the file again from its beginning." };
        }

        upload.Sha256 = blob.Sha256;
        upload.State = UploadState.Finished;
        await db.SaveChangesAsync(CancellationToken.None); // must complete: the bytes have moved
    }

    private async Task AdoptKnownAsync(Upload upload, CancellationToken cancel)
    {
        if (upload.ExpectedHash is { } hash && await store.KeepAsync(hash, cancel) && new FileInfo(store.PathOf(hash)).Length == upload.Bytes)
        {
            upload.Sha256 = hash;
            upload.State = UploadState.Finished;
        }
    }

    private UploadView ViewOf(Upload upload)
    {
        var part = new FileInfo(PartOf(upload));
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
