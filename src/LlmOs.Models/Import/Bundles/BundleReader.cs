using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Models.Import.Bundles;

/// <summary>Lays a bundle's files out as a folder. Bytes that differ from the manifest in number or hash are refused; memory stays at a buffer and the manifest.</summary>
internal static class BundleReader
{
    private const int BufferBytes = 1 << 20;

    /// <summary>Whether a file begins as a bundle does.</summary>
    public static async Task<bool> IsBundleAsync(string path, CancellationToken cancel)
    {
        var head = new byte[BundleManifest.Magic.Length];
        await using var file = Open(path);
        return await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel) == head.Length && BundleManifest.Magic.SequenceEqual(head);
    }

    /// <summary>Reads the manifest alone.</summary>
    public static async Task<BundleManifest> ReadManifestAsync(string path, CancellationToken cancel)
    {
        await using var file = Open(path);
        return await ReadHeadAsync(file, cancel);
    }

    /// <param name="target">A new folder.</param>
    /// <param name="report">Told the share done.</param>
    public static async Task<BundleManifest> UnpackAsync(string path, string target, DataFolder folder, Action<double, JobMessage> report, CancellationToken cancel)
    {
        await using var file = Open(path);
        var manifest = await ReadHeadAsync(file, cancel);
        var total = manifest.Files.Aggregate(0L, (sum, f) => checked(sum + f.Bytes));
        if (total != file.Length - file.Position)
        {
            throw BundleManifest.Corrupt($"its files have {total} bytes by the manifest, and {file.Length - file.Position} follow it");
        }

        DiskSpace.Require(folder, total, "Unpacking the bundle");
        Directory.CreateDirectory(target);
        foreach (var entry in manifest.Files)
        {
            report(total == 0 ? 1 : 1 - ((double)(file.Length - file.Position) / total), ImportCodes.UnpackingFile.With(("file", entry.Path)));
            var at = Path.Combine(target, entry.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(at)!);
            await CopyAsync(file, at, entry, cancel);
        }

        return manifest;
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);

    private static async Task<BundleManifest> ReadHeadAsync(FileStream file, CancellationToken cancel)
    {
        var head = new byte[BundleManifest.Magic.Length + sizeof(int)];
        if (await file.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancel) < head.Length)
        {
            throw BundleManifest.Corrupt("it ends in its head");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(BundleManifest.Magic.Length));
        if (length is < 2 or > BundleManifest.MaxBytes || length > file.Length - file.Position)
        {
            throw BundleManifest.Corrupt($"its manifest would have {length} bytes");
        }

        var json = new byte[length];
        await file.ReadExactlyAsync(json, cancel);
        return BundleManifest.Parse(json);
    }

    private static async Task CopyAsync(FileStream source, string target, ModelFileView entry, CancellationToken cancel)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var file = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
            for (var left = entry.Bytes; left > 0;)
            {
                var read = await source.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, BufferBytes)), cancel);
                if (read == 0)
                {
                    throw BundleManifest.Corrupt($"it ends in {entry.Path}");
                }

                hash.AppendData(buffer, 0, read);
                await file.WriteAsync(buffer.AsMemory(0, read), cancel);
                left -= read;
            }

            var found = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (found != entry.Sha256)
            {
                throw new LlmOsException(ErrorCode.HashMismatch, $"The bundle's {entry.Path} hashes to {found}, not to the {entry.Sha256} of its manifest.") { Hint = "Copy the bundle again from where it was written." };
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
