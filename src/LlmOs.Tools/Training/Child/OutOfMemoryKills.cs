using System.Globalization;

namespace LlmOs.Tools.Training.Child;

/// <summary>How often this system has ended a process because memory ran out: tells such an end from a kill by a person.</summary>
internal static class OutOfMemoryKills
{
    private const string Counter = "oom_kill ";

    /// <summary>The files that count, the container's own first.</summary>
    private static readonly string[] Files = ["/sys/fs/cgroup/memory.events", "/proc/vmstat"];

    /// <summary>The count since the start of the system or container; 0 where nobody counts.</summary>
    public static long Count()
    {
        foreach (var file in Files.Where(File.Exists))
        {
            if (File.ReadLines(file).FirstOrDefault(l => l.StartsWith(Counter, StringComparison.Ordinal)) is { } line
                && long.TryParse(line.AsSpan(Counter.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            {
                return count;
            }
        }

        return 0;
    }
}
