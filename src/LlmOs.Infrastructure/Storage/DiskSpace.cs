using System.Globalization;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Room on the disk of the data folder.</summary>
public static class DiskSpace
{
    private const string Hint = "Free some room, or move the data folder (LLMOS_DATA) to a larger disk.";

    /// <summary>Left free beside what is asked for: the database and the logs need room too.</summary>
    private const long Reserve = 64 << 20;

    /// <summary>Refuses work that would fill the disk, before it begins.</summary>
    /// <param name="what">What needs the room, as the beginning of a sentence: <c>The download</c>.</param>
    public static void Require(DataFolder folder, long bytes, string what)
    {
        var free = Free(folder);
        if (bytes > free - Reserve)
        {
            throw new LlmOsException(ErrorCode.OutOfDisk, $"{what} needs {Show(bytes)} on the disk of the data folder; {Show(free)} are free.") { Hint = Hint };
        }
    }

    /// <summary>Bytes that this process may still write.</summary>
    public static long Free(DataFolder folder) => new DriveInfo(folder.Root).AvailableFreeSpace;

    /// <summary>Whether a write failed for want of room.</summary>
    public static bool IsFull(IOException failure)
    {
        const int NoSpaceLinux = 28; // ENOSPC
        const int DiskFullWindows = unchecked((int)0x80070070);
        return failure.HResult is NoSpaceLinux or DiskFullWindows;
    }

    public static LlmOsException Full(Exception cause) =>
        new(ErrorCode.OutOfDisk, "The disk of the data folder is full.", cause) { Hint = Hint };

    /// <summary>A number of bytes for a person: <c>1.5 GB</c>.</summary>
    public static string Show(long bytes) => bytes switch
    {
        < 1_000_000 => $"{bytes} bytes",
        < 1_000_000_000 => $"{(bytes / 1e6).ToString("0.#", CultureInfo.InvariantCulture)} MB",
        _ => $"{(bytes / 1e9).ToString("0.##", CultureInfo.InvariantCulture)} GB",
    };
}
