using System.Globalization;
using LlmOs.Infrastructure;

namespace LlmOs.Server.Hosting;

/// <summary>
/// Holds the data folder for one server where SQLite is used. The system frees it with the process, so nothing is left
/// to clean up after a crash. On PostgreSQL several hosts may share the folder and nothing is held.
/// </summary>
internal sealed class FolderLock : IDisposable
{
    private readonly FileStream? _file;

    private FolderLock(FileStream? file) => _file = file;

    public static FolderLock Take(LlmOsSettings settings)
    {
        if (settings.Database is not null)
        {
            return new FolderLock(null);
        }

        Directory.CreateDirectory(settings.Data);
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
