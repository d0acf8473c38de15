using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace LlmOs.Testing;

/// <summary>Arms the fault points of processes that were started with <see cref="Environment"/>.</summary>
public sealed partial class FaultFolder(string path)
{
    private readonly string _path = Directory.CreateDirectory(path).FullName;

    /// <summary>What a process needs to be told.</summary>
    public KeyValuePair<string, string?> Environment => new("LLMOS_FAULT_POINTS", _path);

    /// <summary>All points in the source, in the order of their names.</summary>
    /// <param name="areas">What their names begin with.</param>
    public static IReadOnlyList<string> Points(params string[] areas)
    {
        var all = Directory.EnumerateFiles(Path.Combine(SharedFolder.Repository, "src"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Reached().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value))
            .Where(name => areas.Length == 0 || areas.Contains(name.Split('.')[0], StringComparer.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToList();
        Assert.NotEmpty(all);
        Assert.Equal(all.Distinct(StringComparer.Ordinal), all);
        return all;
    }

    /// <summary>The next process that comes to the point ends there.</summary>
    /// <param name="passes">How often it is passed before, by whichever processes.</param>
    public void Arm(string point, int passes = 0) => File.WriteAllText(Path.Combine(_path, point), passes.ToString(CultureInfo.InvariantCulture));

    public bool IsArmed(string point) => File.Exists(Path.Combine(_path, point));

    [GeneratedRegex("""FaultPoints\.Reach\("([a-z_.]+)"\)""")]
    private static partial Regex Reached();
}
