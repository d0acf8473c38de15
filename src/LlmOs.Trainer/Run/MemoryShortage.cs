using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using LlmOs.Tools.Training;

namespace LlmOs.Trainer.Run;

/// <summary>Tells a failure for want of memory from others, and says what was needed and what there is.</summary>
internal static partial class MemoryShortage
{
    /// <summary>The message; null when memory is not the reason.</summary>
    public static string? Of(Exception fault)
    {
        var asked = fault is ExternalException ? Asked().Match(fault.Message) : Match.Empty;
        if (fault is not OutOfMemoryException && !asked.Success)
        {
            return null;
        }

        var what = asked.Success && long.TryParse(asked.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? $"it needed another {Math.Max(1, bytes >> 20)} MB"
            : "it needed more";
        var free = Free() is { } available ? $"{available >> 20} MB are free" : "how much is free is not known";
        return $"The training ran out of memory: {what} beside the {Environment.WorkingSet >> 20} MB it held, and {free}.";
    }

    /// <summary>What this process may still take: of the machine's memory, and of its own limit (RLIMIT_DATA) where it has one.</summary>
    private static long? Free()
    {
        const string Limits = "/proc/self/limits", Status = "/proc/self/status";
        var available = TrainerMachine.AvailableMemory();
        return File.Exists(Limits) && Number(Limits, "Max data size") is { } max && Number(Status, "VmData:") is { } held
            ? Math.Min(available ?? long.MaxValue, Math.Max(0, max - (held << 10)))
            : available;
    }

    /// <summary>The first number behind a word that begins a line; null where there is none, such as for "unlimited".</summary>
    private static long? Number(string file, string word) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(word, StringComparison.Ordinal)) is { } line
        && long.TryParse(line[word.Length..].Split(' ', '\t').FirstOrDefault(f => f.Length > 0), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    /// <summary>Torch's words: DefaultCPUAllocator: can't allocate memory: you tried to allocate 123 bytes.</summary>
    [GeneratedRegex(@"allocate (?:memory: you tried to allocate )?(\d+) bytes|not enough memory|bad_alloc")]
    private static partial Regex Asked();
}
