using System.Diagnostics;
using System.Text;

namespace LlmOs.Cli.Tests;

/// <summary>The real executable in a process of its own.</summary>
internal static class LlmosCommand
{
    private static readonly string Executable = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "llmos.exe" : "llmos");

    public static async Task<Outcome> RunAsync(Setup setup, params string[] arguments)
    {
        using var process = Start(setup, arguments);
        return await EndAsync(process, setup.Input);
    }

    /// <summary>Starts it with the given environment and nothing else of the platform's; the caller ends it.</summary>
    public static Process Start(Setup setup, params string[] arguments)
    {
        // A shell's background job ignores Ctrl-C, and so would all that it starts, this test's process among them.
        var info = OperatingSystem.IsLinux()
            ? new ProcessStartInfo("env", ["--default-signal=INT", Executable, .. arguments])
            : new ProcessStartInfo(Executable, arguments);
        (info.RedirectStandardInput, info.RedirectStandardOutput, info.RedirectStandardError) = (true, true, true);
        info.StandardOutputEncoding = Encoding.UTF8;
        foreach (var name in info.Environment.Keys.Where(k => k.StartsWith("LLMOS_", StringComparison.Ordinal)).ToList())
        {
            info.Environment.Remove(name);
        }

        info.Environment["LLMOS_URL"] = setup.Address;
        if (setup.Key is { } key)
        {
            info.Environment["LLMOS_KEY"] = key;
        }

        if (setup.Server is { } server)
        {
            info.Environment["LLMOS_SERVER"] = server;
        }

        return Process.Start(info)!;
    }

    public static async Task<Outcome> EndAsync(Process process, string? input = null)
    {
        if (input is not null)
        {
            await process.StandardInput.WriteAsync(input);
        }

        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Outcome(process.ExitCode, await output, await error);
    }

    /// <param name="Server">The value of <c>LLMOS_SERVER</c>.</param>
    internal sealed record Setup(string Address, string? Key = "a-key", string? Input = null, string? Server = null);

    internal sealed record Outcome(int Code, string Output, string Error);
}
