using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace LlmOs.Cli;

/// <summary>The server's executable: the one that lies beside this program, or the one that <c>LLMOS_SERVER</c> names.</summary>
internal static class ServerProgram
{
    private static readonly string Executable = OperatingSystem.IsWindows() ? "LlmOs.Server.exe" : "LlmOs.Server";

    /// <summary>The server's executable among the places where it may lie; null when there is none.</summary>
    /// <param name="stated">The value of <c>LLMOS_SERVER</c>: the executable or its folder.</param>
    /// <param name="folder">Where this program lies.</param>
    internal static string? Find(string? stated, string folder)
    {
        if (!string.IsNullOrEmpty(stated))
        {
            return File.Exists(stated) ? stated : Existing(Path.Combine(stated, Executable));
        }

        // Beside it, in the folder of a release, or in the output folder of a build of this repository.
        var build = Path.Combine(folder, "..", "..", "LlmOs.Server");
        var name = Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar));
        return Existing(Path.Combine(folder, Executable))
            ?? Existing(Path.Combine(folder, "server", Executable))
            ?? (Directory.Exists(build)
                ? Directory.GetDirectories(build, name + "*").Select(d => Existing(Path.Combine(d, Executable))).FirstOrDefault(p => p is not null)
                : null);
    }

    private static string? Existing(string path) => File.Exists(path) ? Path.GetFullPath(path) : null;

    /// <summary>Runs it in this terminal and passes signals on.</summary>
    /// <returns>Its exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments)
    {
        var stated = Environment.GetEnvironmentVariable("LLMOS_SERVER");
        if (Find(stated, AppContext.BaseDirectory) is not { } path)
        {
            return Connection.Fail(
                ExitCode.Usage,
                string.IsNullOrEmpty(stated)
                    ? "The server does not lie beside this program. Set LLMOS_SERVER to its folder, or run 'dotnet run --project src/LlmOs.Server' in the source tree."
                    : $"LLMOS_SERVER is '{stated}', where there is no {Executable}.");
        }

        using var server = new Process { StartInfo = new ProcessStartInfo(path, arguments) { UseShellExecute = false } };
        try
        {
            server.Start();
        }
        catch (Win32Exception e)
        {
            return Connection.Fail(ExitCode.Usage, $"The server at '{path}' does not start: {e.Message}");
        }

        // Ctrl-C reaches the server by itself, as it shares the terminal; SIGTERM is sent to one process only, so it is passed on.
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            PassOn(server);
        });
        await server.WaitForExitAsync();
        return server.ExitCode;
    }

    private static void PassOn(Process server)
    {
        const int Sigterm = 15;
        if (!OperatingSystem.IsWindows() && !server.HasExited)
        {
            _ = Kill(server.Id, Sigterm);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
