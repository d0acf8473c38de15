using System.Buffers;
using System.Security.Cryptography;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Storage;

/// <summary>A file of the store: its SHA-256 in lower-case hex is its name.</summary>
public sealed record Blob(string Sha256, long Bytes);

/// <summary>A file that waits beside the store.</summary>
/// <param name="Path">Where it lies until it is placed.</param>
public sealed record StagedBlob(Blob Blob, string Path);

/// <summary>
/// Content-addressed files. A file appears under its final name whole or not at all: it is written under a temporary name
/// in the same folder, flushed to the disk, then renamed. A whole blob is never replaced.
/// </summary>
/// <remarks>
/// A blob's time of change says when it was last put or kept. The <see cref="Collector"/> sets aside only what is old and
/// unused; both take the same lock, so a blob that was just put or kept is never taken from its new user. What was set
/// aside lies in the quarantine, and comes back when somebody keeps or verifies it.
/// </remarks>
public sealed partial class ArtifactStore(DataFolder folder) : IDisposable
{
    private const int BufferBytes = 1 << 20;

    private readonly FileGate _gate = new(Path.Combine(folder.Root, "blobs.lock"));

    /// <summary>Copies a file into the store.</summary>
    public async Task<Blob> PutFileAsync(string path, CancellationToken cancel)
    {
        await using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return await PutAsync(source, cancel);
    }

    /// <summary>Copies a stream, from where it stands to its end, into the store.</summary>
    public async Task<Blob> PutAsync(Stream content, CancellationToken cancel)
    {
        // In the store's own folder, so that the rename stays on one file system and is atomic.
        var temporary = Path.Combine(folder.Blobs, $".{Guid.NewGuid():n}.tmp");
        try
        {
            var blob = await WriteAsync(content, temporary, cancel);
            FaultPoints.Reach("store.blob_written");
            await PlaceAsync(temporary, blob.Sha256, cancel);
            FaultPoints.Reach("store.blob_placed");
            return blob;
        }
        catch (IOException e) when (DiskSpace.IsFull(e))
        {
            throw DiskSpace.Full(e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes a stream, from where it stands to its end, into a folder beside the store: <see cref="PlaceAsync(StagedBlob, CancellationToken)"/> lets it be seen.</summary>
    /// <param name="staging">On the data folder's disk.</param>
    public static async Task<StagedBlob> StageAsync(Stream content, string staging, CancellationToken cancel)
    {
        var path = Path.Combine(staging, $"{Guid.NewGuid():n}.blob");
        try
        {
            return new StagedBlob(await WriteAsync(content, path, cancel), path);
        }
        catch (IOException e)
        {
            File.Delete(path);
            throw DiskSpace.IsFull(e) ? DiskSpace.Full(e) : e;
        }
    }

    /// <summary>Moves a staged file into the store; one that was moved by an earlier call stays there.</summary>
    public async Task PlaceAsync(StagedBlob staged, CancellationToken cancel)
    {
        if (!File.Exists(staged.Path) && await KeepAsync(staged.Blob.Sha256, cancel))
        {
            return;
        }

        Touch(staged.Path); // it may have waited for long
        await PlaceAsync(staged.Path, staged.Blob.Sha256, cancel);
    }

    /// <summary>Makes a file of the data folder a blob by renaming it: nothing is copied, and the file is gone from where it was.</summary>
    /// <remarks>A link to a blob stays what it is, and its blob is checked and kept. Nobody else may be writing to the file.</remarks>
    /// <param name="expected">What it must hash to; null: anything. Another file is left where it is.</param>
    /// <exception cref="LlmOsException">It does not hash to what was expected.</exception>
    public async Task<Blob> TakeFileAsync(string path, CancellationToken cancel, string? expected = null)
    {
        if (new FileInfo(path).LinkTarget is not null)
        {
            return await TakeLinkAsync(path, cancel);
        }

        if (!Path.GetFullPath(path).StartsWith(folder.Root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            throw new ArgumentException("Only files of the data folder can be renamed into the store.", nameof(path));
        }

        // One handle from the first byte of the hash to the rename: the file that is placed is the file that was hashed.
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var blob = new Blob(Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel)), file.Length);
        if (expected is not null && blob.Sha256 != expected)
        {
            throw new LlmOsException(ErrorCode.HashMismatch, $"The content hashes to {blob.Sha256}, not to {expected}.");
        }

        file.Flush(flushToDisk: true);
        File.SetLastWriteTimeUtc(file.SafeFileHandle, TimeProvider.System.GetUtcNow().UtcDateTime); // it may be days old
        await PlaceAsync(path, blob.Sha256, cancel);
        return blob;
    }

    /// <summary>Where a blob lies, whether or not it is there.</summary>
    public string PathOf(string sha256) =>
        // The name becomes a path, so nothing but a hash may pass.
        IsHash(sha256)
            ? Path.Combine(folder.Blobs, sha256[..2], sha256)
            : throw new ArgumentException("Not a SHA-256 in lower-case hex.", nameof(sha256));

    /// <summary>Whether a text is a SHA-256 in lower-case hex.</summary>
    public static bool IsHash(string text) => text.Length == 64 && text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'));

    public bool Contains(string sha256) => File.Exists(PathOf(sha256));

    /// <summary>Reads a blob again and compares its hash; throws <see cref="ErrorCode.HashMismatch"/> or <see cref="ErrorCode.MissingFile"/>.</summary>
    public async Task VerifyAsync(string sha256, CancellationToken cancel)
    {
        if (!Contains(sha256) && !await KeepAsync(sha256, cancel))
        {
            throw new LlmOsException(ErrorCode.MissingFile, $"The store lacks the file {sha256}.") { Hint = "Import the model again." };
        }

        var found = await HashAsync(PathOf(sha256), cancel);
        if (found != sha256)
        {
            throw new LlmOsException(ErrorCode.HashMismatch, $"The stored file {sha256} has changed: its content hashes to {found}.")
            {
                Hint = "The disk or another program changed it. Import the model again.",
            };
        }
    }

    /// <summary>Deletes what interrupted writes left behind; call only while nothing writes.</summary>
    public void DeleteLeftovers()
    {
        foreach (var leftover in Leftovers())
        {
            File.Delete(leftover);
        }
    }

    /// <summary>Files that interrupted or running writes have under temporary names.</summary>
    internal IEnumerable<string> Leftovers() => Directory.EnumerateFiles(folder.Blobs, ".*.tmp");

    /// <summary>Every blob that is there.</summary>
    internal IEnumerable<FileInfo> Blobs() =>
        new DirectoryInfo(folder.Blobs).EnumerateDirectories().SelectMany(shard => shard.EnumerateFiles()).Where(file => IsHash(file.Name));

    public void Dispose() => _gate.Dispose();

    private async Task<Blob> TakeLinkAsync(string path, CancellationToken cancel)
    {
        var blob = new Blob(await HashAsync(path, cancel), new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName).Length);
        return await KeepAsync(blob.Sha256, cancel) ? blob : await PutFileAsync(path, cancel);
    }

    /// <summary>Gives a written file its final name. A blob that is there and whole stays; a damaged one is replaced.</summary>
    private async Task PlaceAsync(string file, string sha256, CancellationToken cancel)
    {
        var target = PathOf(sha256);
        var shard = Path.GetDirectoryName(target)!;
        while (true)
        {
            // Read before the gate, which is for moments.
            var (wasThere, isWhole) = (File.Exists(target), await IsWholeAsync(sha256, cancel));
            using (await _gate.EnterAsync(cancel))
            {
                var isThere = File.Exists(target);
                if (isThere && !wasThere)
                {
                    continue; // placed in between: look at it first
                }

                if (isThere && isWhole)
                {
                    Touch(target);
                    File.Delete(file);
                    return;
                }

                var isNew = !Directory.Exists(shard);
                Directory.CreateDirectory(shard);
                File.Move(file, target, overwrite: true);
                FolderNames.Flush(shard);
                if (isNew)
                {
                    FolderNames.Flush(folder.Blobs);
                }

                return;
            }
        }
    }

    /// <summary>Whether a blob is there and hashes to its name.</summary>
    private async Task<bool> IsWholeAsync(string sha256, CancellationToken cancel)
    {
        try
        {
            return await HashAsync(PathOf(sha256), cancel) == sha256;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    private static async Task<string> HashAsync(string path, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
    }

    /// <summary>Files' times are the system's.</summary>
    private static void Touch(string path) => File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime);

    private static async Task<Blob> WriteAsync(Stream content, string path, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
            long bytes = 0;
            int read;
            while ((read = await content.ReadAsync(buffer.AsMemory(0, BufferBytes), cancel)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancel);
                bytes += read;
            }

            // Before the rename: a name that is visible after a power cut has its content.
            file.Flush(flushToDisk: true);
            return new Blob(Convert.ToHexStringLower(hash.GetHashAndReset()), bytes);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
