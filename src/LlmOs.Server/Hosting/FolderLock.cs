using System.Globalization;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Server.Hosting;

/// <summary>
/// Holds the data folder for one server where SQLite is used. The system frees it with the process, so nothing is left
/// to clean up after a crash. On PostgreSQL several hosts may share the folder and nothing is held.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream? _file;

    private FolderLock(FileStream? file) => _file = file;

    /// <exception cref="SettingException">The folder cannot be written, or another server holds it.</exception>
    public static FolderLock Take(LlmOsSettings settings)
    {
        RequireWritable(settings);
        if (settings.Database is not null)
        {
            return new FolderLock(null);
        }

        var path = Path.Combine(settings.Data, "server.lock");
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            File.WriteAllText(HolderFile(settings), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return new FolderLock(file);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new SettingException("LLMOS_DATA", $"the folder '{settings.Data}' is in use by the server with process id {Holder(settings)}. Stop it, or choose another folder.");
        }
    }

    public void Dispose() => _file?.Dispose();

    /// <summary>Asks by writing: what a mode allows, a mount that may only be read forbids.</summary>
    private static void RequireWritable(LlmOsSettings settings)
    {
        try
        {
            Directory.CreateDirectory(settings.Data);
            using var probe = new FileStream(
                Path.Combine(settings.Data, $".write-{Environment.ProcessId}"), FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        }
        catch (IOException full) when (DiskSpace.IsFull(full))
        {
            // A server starts on a full disk: somebody must be able to delete something.
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new SettingException("LLMOS_DATA", $"the folder '{settings.Data}' cannot be written: {failure.Message} Make it writable, or choose another folder.");
        }
    }

    /// <summary>Beside the lock, for the lock keeps others from reading its own file.</summary>
    private static string HolderFile(LlmOsSettings settings) => Path.Combine(settings.Data, "server.pid");

    private static string Holder(LlmOsSettings settings)
    {
        try
        {
            return File.ReadAllText(HolderFile(settings)) is { Length: > 0 } holder ? holder : "(not yet written)";
        }
        catch (IOException)
        {
            return "(not readable)";
        }
    }
}
