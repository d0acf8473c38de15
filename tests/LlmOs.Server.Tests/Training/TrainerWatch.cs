using System.Globalization;
using System.Runtime.InteropServices;

namespace LlmOs.Server.Tests.Training;

/// <summary>Finds a server's trainers, and the newest checkpoint of a job, from outside: as an operator would who wants to do harm.</summary>
internal static partial class TrainerWatch
{
    private const int SigKill = 9;

    /// <summary>Process ids of the trainers that a server has started.</summary>
    public static IReadOnlyList<int> Of(int server) =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && StatusOf(pid) is { Name: "LlmOs.Trainer" } status && status.Parent == server && status.State != 'Z'),
    ];

    /// <summary>The step of a job's newest checkpoint; 0 while there is none.</summary>
    public static long Checkpoint(string data, string job)
    {
        var folder = Path.Combine(data, "jobs", job);
        try
        {
            return Directory.Exists(folder)
                ? Directory.EnumerateFiles(folder, "latest", SearchOption.AllDirectories)
                    .Select(file => long.TryParse(File.ReadAllText(file).Split('-')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : 0)
                    .DefaultIfEmpty()
                    .Max()
                : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0; // folders come and go meanwhile
        }
    }

    /// <summary>Ends a process without a word; one that is gone already is left alone.</summary>
    public static void Kill(int pid) => _ = Signal(pid, SigKill);

    /// <summary>Null for a process that is gone.</summary>
    private static (string Name, char State, int Parent)? StatusOf(int pid)
    {
        try
        {
            // pid (name) state parent ...; the name may hold anything, so the last bracket counts.
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var end = text.LastIndexOf(')');
            var rest = text[(end + 2)..].Split(' ');
            return (text[(text.IndexOf('(', StringComparison.Ordinal) + 1)..end], rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);
}
