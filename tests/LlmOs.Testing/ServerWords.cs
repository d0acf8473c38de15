using System.Diagnostics;

namespace LlmOs.Testing;

/// <summary>The server's executable with words after which it does something else than serve, such as <c>backup</c>.</summary>
public static class ServerWords
{
    /// <param name="environment">Its settings; nothing of the machine's own decides.</param>
    public static async Task<(int Code, string Output, string Error)> RunAsync(IReadOnlyDictionary<string, string?> environment, params string[] words)
    {
        var info = new ProcessStartInfo("dotnet", [BuiltProgram.Server(), .. words]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var name in info.Environment.Keys.Where(n => n.StartsWith("LLMOS_", StringComparison.Ordinal)).ToList())
        {
            info.Environment.Remove(name);
        }

        foreach (var (name, value) in environment.Where(pair => pair.Value is not null))
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
