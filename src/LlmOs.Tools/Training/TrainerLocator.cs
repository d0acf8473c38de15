using System.Runtime.InteropServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Training;

/// <summary>
/// Finds the trainer: <c>LLMOS_TRAINER</c>; beside the server; in <c>trainer</c> beside it; or, in a repository, where the
/// build puts it: the folder of the same configuration under <c>artifacts/bin/LlmOs.Trainer</c>.
/// </summary>
internal static class TrainerLocator
{
    /// <exception cref="LlmOsException">There is none.</exception>
    public static string Find(LlmOsSettings settings) => Find(settings.Trainer, AppContext.BaseDirectory)
        ?? throw new LlmOsException(ErrorCode.TrainerUnavailable, "This server has no trainer, so it serves models but trains none.")
        {
            Hint = "Build or publish LlmOs.Trainer beside the server, or set LLMOS_TRAINER to its path.",
        };

    public static string? Find(string? stated, string serverFolder)
    {
        if (stated is not null)
        {
            return stated;
        }

        var name = OperatingSystem.IsWindows() ? "LlmOs.Trainer.exe" : "LlmOs.Trainer";
        var folder = new DirectoryInfo(Path.TrimEndingDirectorySeparator(serverFolder));
        var built = folder.Parent?.Parent is { Name: "bin" } bin ? Path.Combine(bin.FullName, "LlmOs.Trainer", folder.Name) : null;
        string?[] candidates =
        [
            Path.Combine(folder.FullName, name),
            Path.Combine(folder.FullName, "trainer", name),
            built is null ? null : Path.Combine(built, name),
            built is null ? null : Path.Combine($"{built}_{RuntimeInformation.RuntimeIdentifier}", name),
        ];

        // A build that refers to the trainer copies its launcher alone; that one starts nothing.
        return Array.Find(candidates, path => File.Exists(path) && File.Exists(Path.Combine(Path.GetDirectoryName(path)!, "LlmOs.Trainer.dll")));
    }
}
