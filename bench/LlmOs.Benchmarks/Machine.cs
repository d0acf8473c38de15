using System.Runtime.InteropServices;

namespace LlmOs.Benchmarks;

/// <summary>What the figures were taken on, without names of hosts.</summary>
internal static class Machine
{
    /// <summary>The folder that holds <c>LlmOs.sln</c>.</summary>
    public static string Repository { get; } = FindRepository();

    public static string Describe()
    {
        var processor = File.Exists("/proc/cpuinfo")
            ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            : null;
        return $"{processor ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription.Split('#')[0].Trim()}, {RuntimeInformation.FrameworkDescription}";
    }

    private static string FindRepository()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "LlmOs.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new InvalidOperationException("There is no LlmOs.sln above the benchmarks.");
    }
}
