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
/// in the same folder, flushed to the disk, then renamed. Putting the same content twice keeps one file.
/// </summary>
public sealed class ArtifactStore(DataFolder folder)
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Copies a file into the store.</summary>
    public async Task<Blob> PutFileAsync(string path, CancellationToken cancel)
    {
        await using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        return await PutAsync(source, cancel);
    }

    /// <summary>Moves a file of the data folder's disk into the store; it is gone from its place afterwards.</summary>
    public async Task<Blob> TakeFileAsync(string path, CancellationToken cancel)
    {
        Blob blob;
        await using (var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan))
        {
            blob = new Blob(Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel)), file.Length);
            file.Flush(flushToDisk: true); // before the rename, as below
        }

        var target = PathOf(blob.Sha256);
        if (File.Exists(target))
        {
            File.Delete(path);
        }
        else
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(path, target, overwrite: true);
        }

        return blob;
    }

    /// <summary>Copies a stream, from where it stands to its end, into the store.</summary>
    public async Task<Blob> PutAsync(Stream content, CancellationToken cancel)
    {
        // In the store's own folder, so that the rename stays on one file system and is atomic.
        var temporary = Path.Combine(folder.Blobs, $".{Guid.NewGuid():n}.tmp");
        try
        {
            var blob = await WriteAsync(content, temporary, cancel);
            var target = PathOf(blob.Sha256);
            if (!File.Exists(target))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Move(temporary, target, overwrite: true);
            }

            return blob;
        }
        catch (IOException e) when (IsDiskFull(e))
        {
            throw DiskFull(e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>Writes a stream, from where it stands to its end, into a folder beside the store: <see cref="Place"/> lets it be seen.</summary>
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
            throw IsDiskFull(e) ? DiskFull(e) : e;
        }
    }

    /// <summary>Moves a staged file into the store.</summary>
    public void Place(StagedBlob staged)
    {
        var target = PathOf(staged.Blob.Sha256);
        if (!File.Exists(target))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Move(staged.Path, target, overwrite: true);
        }
    }

    /// <summary>Where a blob lies, whether or not it is there.</summary>
    public string PathOf(string sha256)
    {
        // The name becomes a path, so nothing but a hash may pass.
        if (sha256.Length != 64 || !sha256.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f')))
        {
            throw new ArgumentException("Not a SHA-256 in lower-case hex.", nameof(sha256));
        }

        return Path.Combine(folder.Blobs, sha256[..2], sha256);
    }

    public bool Contains(string sha256) => File.Exists(PathOf(sha256));

    /// <summary>Reads a blob again and compares its hash; throws <see cref="ErrorCode.HashMismatch"/> or <see cref="ErrorCode.MissingFile"/>.</summary>
    public async Task VerifyAsync(string sha256, CancellationToken cancel)
    {
        var path = PathOf(sha256);
        if (!File.Exists(path))
        {
            throw new LlmOsException(ErrorCode.MissingFile, $"The store lacks the file {sha256}.") { Hint = "Import the model again." };
        }

        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        var found = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancel));
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
        foreach (var leftover in Directory.EnumerateFiles(folder.Blobs, ".*.tmp"))
        {
            File.Delete(leftover);
        }
    }

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

    private static LlmOsException DiskFull(IOException e) => new(ErrorCode.OutOfDisk, "The disk of the data folder is full.", e)
    {
        Hint = "Free some room, or move the data folder (LLMOS_DATA) to a larger disk.",
    };

    private static bool IsDiskFull(IOException e)
    {
        const int NoSpaceLinux = 28; // ENOSPC
        const int DiskFullWindows = unchecked((int)0x80070070);
        return e.HResult is NoSpaceLinux or DiskFullWindows;
    }
}
