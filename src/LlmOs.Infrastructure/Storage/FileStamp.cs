using System.Runtime.InteropServices;

namespace LlmOs.Infrastructure.Storage;

/// <summary>What tells that a file is still the one that was looked at: size, time of change, and on Linux its inode.</summary>
/// <param name="Modified">Ticks, UTC.</param>
/// <param name="Inode">0 where the system has none.</param>
public readonly partial record struct FileStamp(long Bytes, long Modified, ulong Inode)
{
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint WantsInode = 0x100; // STATX_INO
    private const int StatxBytes = 256;
    private const int InodeOffset = 32;

    /// <summary>The stamp of a file; null where there is none.</summary>
    public static FileStamp? Of(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? new FileStamp(file.Length, file.LastWriteTimeUtc.Ticks, InodeOf(path)) : null;
    }

    private static ulong InodeOf(string path)
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        Span<byte> answer = stackalloc byte[StatxBytes];
        try
        {
            return Statx(CurrentFolder, path, 0, WantsInode, ref MemoryMarshal.GetReference(answer)) == 0 ? MemoryMarshal.Read<ulong>(answer[InodeOffset..]) : 0;
        }
        catch (EntryPointNotFoundException)
        {
            return 0; // an old C library
        }
    }

    // The one call of this kind whose answer has the same layout on every processor.
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Statx(int folder, string path, int flags, uint mask, ref byte answer);
}
