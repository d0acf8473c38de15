using System.Runtime.InteropServices;

namespace LlmOs.Testing;

/// <summary>Executables that were built along with the tests, in the same configuration.</summary>
public static class BuiltProgram
{
    /// <summary>
    /// The server to start: the one published ahead of the tests (<c>LLMOS_PUBLISHED</c>, its folder), whose start takes
    /// two thirds of the time, else the one that was built along with them.
    /// </summary>
    public static string Server() => PublishedFolder is { } folder ? Path.Combine(folder, "LlmOs.Server.dll") : Find("LlmOs.Server");

    /// <summary>The folder of the published server, trainer below it; null where the tests run without.</summary>
    public static string? PublishedFolder { get; } = Environment.GetEnvironmentVariable("LLMOS_PUBLISHED") is { Length: > 0 } stated
        ? Directory.Exists(stated) ? Path.GetFullPath(stated) : throw new InvalidOperationException($"LLMOS_PUBLISHED names {stated}, which is not there.")
        : null;

    /// <summary>The path of a project's assembly.</summary>
    public static string Find(string project)
    {
        // artifacts/bin/<project>/<configuration>[_<platform>]/
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)).Split('_')[0];
        var folder = Path.Combine(SharedFolder.Repository, "artifacts", "bin", project);
        var file = Path.Combine(folder, $"{configuration}_{RuntimeInformation.RuntimeIdentifier}", $"{project}.dll");
        if (File.Exists(file))
        {
            return file;
        }

        var found = Directory.Exists(folder)
            ? Directory.GetDirectories(folder, $"{configuration}_*").Select(d => Path.Combine(d, $"{project}.dll")).FirstOrDefault(File.Exists)
            : null;
        return found ?? throw new InvalidOperationException($"{project} is not built: there is no {file}.");
    }
}
