using System.Buffers;
using System.Security.Cryptography;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>Copies files and hashes them on the way.</summary>
internal static class CheckedCopy
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Copies a file to a path that is not there yet, and puts it on the disk.</summary>
    /// <returns>Hash and length of what was copied.</returns>
    public static async Task<Blob> CopyAsync(string source, string target, CancellationToken cancel)
    {
        await using var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);
        await using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            int read;
            while ((read = await from.ReadAsync(buffer.AsMemory(0, BufferBytes), cancel)) > 0)
            {
                hash.AppendData(buffer, 0, read);
                await to.WriteAsync(buffer.AsMemory(0, read), cancel);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        to.Flush(flushToDisk: true);
        return new Blob(Convert.ToHexStringLower(hash.GetHashAndReset()), to.Length);
    }

    /// <summary>Copies a file of a backup to where it belongs; it appears there whole or not at all.</summary>
    /// <exception cref="LlmOsException">It is not what the backup says it is.</exception>
    public static async Task RestoreAsync(string backup, BackupFile file, string target, CancellationToken cancel)
    {
        var unfinished = target + ".restoring";
        File.Delete(unfinished);
        var copied = await CopyAsync(file.PathBelow(backup), unfinished, cancel);
        if (copied.Sha256 != file.Sha256)
        {
            File.Delete(unfinished);
            throw Damaged(file.Name);
        }

        File.Move(unfinished, target, overwrite: true);
    }

    public static LlmOsException Damaged(string what) =>
        new(ErrorCode.HashMismatch, $"The backup is damaged: its file {what} does not hash to what its manifest says.") { Hint = "Restore another backup." };
}
