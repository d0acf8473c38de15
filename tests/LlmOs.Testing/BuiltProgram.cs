using System.Runtime.InteropServices;

namespace LlmOs.Testing;

/// <summary>Executables that were built along with the tests, in the same configuration.</summary>
public static class BuiltProgram
{
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
