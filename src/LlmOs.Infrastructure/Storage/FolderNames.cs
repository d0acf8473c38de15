using System.Runtime.InteropServices;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Puts a folder's names on the disk, so that a file which was made or renamed in it is still there after the power went.</summary>
public static partial class FolderNames
{
    /// <exception cref="IOException">The disk did not take it.</exception>
    public static void Flush(string folder)
    {
        // Only Unix needs and offers it; .NET has no call for it.
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var handle = Open(folder, 0 /* O_RDONLY */);
        if (handle < 0)
        {
            throw new IOException($"The folder '{Path.GetFileName(folder)}' could not be opened to flush it.", Marshal.GetLastPInvokeError());
        }

        try
        {
            if (Fsync(handle) != 0)
            {
                throw new IOException($"The folder '{Path.GetFileName(folder)}' could not be flushed.", Marshal.GetLastPInvokeError());
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int handle);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);
}
