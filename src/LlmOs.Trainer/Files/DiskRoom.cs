using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Trainer.Files;

/// <summary>Writes that may meet a full disk: the refusal says what was needed and what there is.</summary>
internal static class DiskRoom
{
    private const int NoSpace = 28;     // ENOSPC
    private const int QuotaSpent = 122; // EDQUOT
    private const int DiskFullWindows = unchecked((int)0x80070070);

    /// <param name="what">Of the message: "The checkpoint of step 200".</param>
    /// <param name="bytes">What it takes.</param>
    /// <exception cref="LlmOsException">There is too little room, before or while it is written.</exception>
    public static void Write(string folder, string what, long bytes, Action write)
    {
        if (Free(folder) is { } free && free < bytes)
        {
            throw Refuse(what, bytes, folder, "", new IOException("There is too little room."));
        }

        try
        {
            write();
        }
        catch (IOException fault) when (fault.HResult is NoSpace or QuotaSpent or DiskFullWindows)
        {
            throw Refuse(what, bytes, folder, "", fault);
        }
        catch (ArgumentOutOfRangeException fault) when (fault.TargetSite?.DeclaringType == typeof(RandomAccess))
        {
            // .NET's word for EFBIG: a file system, or a limit of the process, ends files there.
            throw Refuse(what, bytes, folder, ", and files may not grow that large here", fault);
        }
    }

    private static long? Free(string folder)
    {
        try
        {
            return new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null; // some file systems do not say
        }
    }

    private static LlmOsException Refuse(string what, long bytes, string folder, string limit, Exception cause)
    {
        var have = Free(folder) is { } free ? $"{free >> 20} MB are free" : "how much is free is not known";
        return new LlmOsException(ErrorCode.OutOfDisk, $"{what} needs about {Math.Max(1, bytes >> 20)} MB of disk; {have}{limit}.", cause)
        {
            Hint = "Free some room, then retry the job: it goes on from its latest checkpoint.",
        };
    }
}
