using System.Formats.Tar;
using System.IO.Compression;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;

namespace LlmOs.Models.Import;

/// <summary>What an archive may hold.</summary>
public sealed record ArchiveLimits
{
    /// <summary>Files and folders.</summary>
    public int MaxEntries { get; init; } = 10_000;

    /// <summary>Bytes of all files together, unpacked.</summary>
    public long MaxBytes { get; init; } = 2L << 40;

    /// <summary>How many times larger than the archive its files may be; weights hardly shrink, bombs do.</summary>
    public int MaxRatio { get; init; } = 100;

    /// <summary>Bytes unpacked before the ratio counts: small texts shrink well.</summary>
    public long RatioFreeBytes { get; init; } = 64L << 20;
}

/// <summary>
/// Unpacks zip, tar and tar.gz from strangers. What is counted is what is written, not what the archive says; nothing but
/// plain files and folders is made, all beneath one folder.
/// </summary>
public static class ArchiveUnpacker
{
    private const int BufferBytes = 1 << 18;
    private const int MaxPathLength = 512;
    private const int MaxDepth = 16;

    /// <summary>First bytes of a file that tell its kind; tar has its mark at 257.</summary>
    private const int KindBytes = 262;

    /// <summary>Bytes of a zip's directory: several times those of as many entries as are allowed.</summary>
    private const int MaxDirectoryBytes = 8 << 20;

    /// <summary>Bytes of the headers of one entry of a tar: its name and what else is said of it.</summary>
    private const int MaxHeaderBytes = 256 << 10;

    /// <summary>Bytes that stay free on the disk.</summary>
    private const long SpareBytes = 64L << 20;

    /// <summary>Whether the file is an archive that is read, by its first bytes.</summary>
    public static bool IsArchive(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        Span<byte> start = stackalloc byte[KindBytes];
        return KindOf(start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]) is not null;
    }

    /// <param name="path">The archive.</param>
    /// <param name="folder">An existing, empty folder; what was unpacked before a refusal stays there for the caller to delete.</param>
    /// <exception cref="LlmOsException">too_large, not_allowed, corrupt_file, unsupported_format or out_of_disk; the message says what was found.</exception>
    public static async Task UnpackAsync(string path, string folder, ArchiveLimits limits, CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
        var start = new byte[KindBytes];
        var read = await file.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancel);
        var kind = KindOf(start.AsSpan(0, read)) ?? throw new LlmOsException(ErrorCode.UnsupportedFormat, "The file is no archive that is read. Expected: zip, tar or tar.gz.");
        file.Position = 0;
        var unpacking = new Unpacking(folder, limits, file.Length);
        try
        {
            switch (kind)
            {
                case Kind.Zip:
                    await UnzipAsync(file, unpacking, cancel);
                    break;
                case Kind.Tar:
                    await UntarAsync(file, unpacking, cancel);
                    break;
                case Kind.TarGzip:
                    await using (var plain = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true))
                    {
                        await UntarAsync(plain, unpacking, cancel);
                    }

                    break;
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or NotSupportedException or OverflowException or InvalidOperationException)
        {
            throw new LlmOsException(ErrorCode.CorruptFile, "The archive contradicts itself or was cut short.", fault);
        }
    }

    private enum Kind
    {
        Zip,
        Tar,
        TarGzip,
    }

    private static Kind? KindOf(ReadOnlySpan<byte> start) =>
        start.StartsWith("PK\u0003\u0004"u8) || start.StartsWith("PK\u0005\u0006"u8) ? Kind.Zip
        : start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]) ? Kind.TarGzip
        : start.Length >= 262 && start[257..].StartsWith("ustar"u8) ? Kind.Tar
        : null;

    private static async Task UnzipAsync(Stream file, Unpacking unpacking, CancellationToken cancel)
    {
        // The library reads the whole directory before it tells how many entries there are.
        await using var bounded = new BoundedReads(file, _ => { }) { Left = MaxDirectoryBytes };
        using var zip = new ZipArchive(bounded, ZipArchiveMode.Read, leaveOpen: true);
        unpacking.Count(zip.Entries.Count);
        bounded.Left = null;
        unpacking.Expect(zip.Entries.Aggregate(0L, (sum, entry) => checked(sum + entry.Length)));
        foreach (var entry in zip.Entries)
        {
            const int FileType = 0xF000, Link = 0xA000, Regular = 0x8000, Folder = 0x4000;
            var type = (entry.ExternalAttributes >> 16) & FileType;
            if (type is not (0 or Regular or Folder))
            {
                throw NotPlain(entry.FullName, type == Link ? "a symbolic link" : "a special file");
            }

            if (entry.IsEncrypted)
            {
                throw new LlmOsException(ErrorCode.UnsupportedFormat, $"The archive's entry '{ModelName.Shorten(entry.FullName)}' is encrypted; plain archives are read.");
            }

            if (entry.FullName.EndsWith('/'))
            {
                unpacking.MakeFolder(entry.FullName);
                continue;
            }

            await using var content = await entry.OpenAsync(cancel);
            await unpacking.WriteAsync(entry.FullName, content, cancel);
        }
    }

    private static async Task UntarAsync(Stream stream, Unpacking unpacking, CancellationToken cancel)
    {
        await using var counted = new BoundedReads(stream, unpacking.Take) { Left = MaxHeaderBytes };
        await using var tar = new TarReader(counted, leaveOpen: true);
        var count = 0;
        while (await tar.GetNextEntryAsync(copyData: false, cancel) is { } entry)
        {
            unpacking.Count(++count);
            counted.Left = null;
            switch (entry.EntryType)
            {
                case TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile:
                    unpacking.Expect(entry.Length);
                    await unpacking.WriteAsync(entry.Name, entry.DataStream ?? Stream.Null, cancel);
                    break;
                case TarEntryType.Directory:
                    unpacking.MakeFolder(entry.Name);
                    break;
                case TarEntryType.GlobalExtendedAttributes:
                    break; // a comment
                case TarEntryType.SymbolicLink or TarEntryType.HardLink:
                    throw NotPlain(entry.Name, "a link");
                default:
                    throw NotPlain(entry.Name, "a special file");
            }

            counted.Left = MaxHeaderBytes; // for the headers of the next entry, which the library keeps in memory
        }
    }

    private static LlmOsException NotPlain(string name, string what) =>
        new(ErrorCode.NotAllowed, $"The archive's entry '{ModelName.Shorten(name)}' is {what}; only plain files and folders are unpacked.");

    /// <summary>One unpacking: where it goes, and what it has used of its limits.</summary>
    private sealed class Unpacking(string folder, ArchiveLimits limits, long archiveBytes)
    {
        private readonly HashSet<string> _paths = new(StringComparer.OrdinalIgnoreCase); // some file systems do not tell them apart
        private long _written;
        private long _taken;

        public void Count(int entries)
        {
            if (entries > limits.MaxEntries)
            {
                throw new LlmOsException(ErrorCode.TooLarge, $"The archive has more than {limits.MaxEntries} entries.");
            }
        }

        /// <summary>Refuses early what the archive itself says is too much.</summary>
        public void Expect(long bytes)
        {
            CheckBytes(_written + bytes);
            var free = new DriveInfo(folder).AvailableFreeSpace;
            if (bytes > free - SpareBytes)
            {
                throw new LlmOsException(ErrorCode.OutOfDisk, $"The archive unpacks to {bytes} bytes; the disk of the data folder has {free} free.");
            }
        }

        /// <summary>Counts bytes that come out of the decompression, whether or not they become a file.</summary>
        public void Take(int bytes)
        {
            _taken += bytes;
            CheckBytes(_taken);
        }

        public void MakeFolder(string name)
        {
            if (Path.TrimEndingDirectorySeparator(name).Trim('/', '.').Length > 0) // "./" is the root itself
            {
                Directory.CreateDirectory(Target(name.TrimEnd('/')));
            }
        }

        public async Task WriteAsync(string name, Stream content, CancellationToken cancel)
        {
            var target = Target(name);
            if (!_paths.Add(target))
            {
                throw new LlmOsException(ErrorCode.CorruptFile, $"The archive has two entries '{ModelName.Shorten(name)}'.");
            }

            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                await using var file = new FileStream(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous);
                var buffer = new byte[BufferBytes];
                int read;
                while ((read = await content.ReadAsync(buffer, cancel)) > 0)
                {
                    _written += read;
                    CheckBytes(_written);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancel);
                }
            }
            catch (IOException fault) when (File.Exists(Path.GetDirectoryName(target)) || Directory.Exists(target))
            {
                throw new LlmOsException(ErrorCode.CorruptFile, $"The archive uses a part of '{ModelName.Shorten(name)}' both as a file and as a folder.", fault);
            }
        }

        private void CheckBytes(long bytes)
        {
            if (bytes > limits.MaxBytes)
            {
                throw new LlmOsException(ErrorCode.TooLarge, $"The archive unpacks to more than {limits.MaxBytes} bytes.");
            }

            if (bytes > limits.RatioFreeBytes && bytes / limits.MaxRatio > archiveBytes)
            {
                throw new LlmOsException(ErrorCode.TooLarge, $"The archive unpacks to more than {limits.MaxRatio} times its {archiveBytes} bytes.");
            }
        }

        private string Target(string name)
        {
            var clean = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
            var parts = clean.Split('/');
            var isSafe = clean.Length is > 0 and <= MaxPathLength
                && parts.Length <= MaxDepth
                && !clean.Any(c => char.IsControl(c) || c is '\\' or ':')
                && parts.All(part => part is not ("" or "." or ".."))
                && !Path.IsPathRooted(clean);
            var target = isSafe ? Path.GetFullPath(Path.Combine(folder, clean)) : "";
            return target.StartsWith(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                ? target
                : throw new LlmOsException(ErrorCode.NotAllowed, $"The archive's entry '{ModelName.Shorten(name)}' does not lie plainly beneath the archive: absolute paths, '..', '\\', ':' and more than {MaxDepth} folders are refused.");
        }
    }
}
