using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Architecture.Tests.Docs;

/// <summary>The documentation, and what the repository holds beside it.</summary>
internal static class Documents
{
    private static readonly Lazy<string> SourceText = new(ReadSources);

    /// <summary>Every page of the documentation, by its path in the repository; decisions that were superseded are history.</summary>
    public static IEnumerable<string> All =>
        new[] { "README.md", "CONTRIBUTING.md" }
            .Concat(Directory.EnumerateFiles(At("docs"), "*.md", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(SharedFolder.Repository, file)))
            .Where(page => Decisions.StatusOf(Read(page))?.StartsWith("superseded", StringComparison.Ordinal) != true)
            .Order(StringComparer.Ordinal);

    /// <summary>Source, tests and scripts as one text.</summary>
    public static string Sources => SourceText.Value;

    public static string At(string path) => Path.Combine(SharedFolder.Repository, path);

    public static string Read(string path) => File.ReadAllText(At(path));

    /// <summary>Whether a file or folder is there; a placeholder stands for any one part.</summary>
    public static bool Exists(string path)
    {
        var folders = new List<string> { SharedFolder.Repository };
        foreach (var part in path.Trim('/').Split('/'))
        {
            var pattern = Regex.Replace(part, @"<[^>]*>|\{[^}]*\}", "*");
            folders = pattern.Contains('*', StringComparison.Ordinal)
                ? [.. folders.Where(Directory.Exists).SelectMany(folder => Directory.EnumerateFileSystemEntries(folder, pattern))]
                : [.. folders.Select(folder => Path.Combine(folder, pattern)).Where(Path.Exists)];
        }

        return folders.Count > 0;
    }

    /// <summary>The operations of docs/api/openapi.json.</summary>
    public static IReadOnlyList<(string Method, string Path)> Routes() =>
        [.. JsonNode.Parse(Read("docs/api/openapi.json"))!["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => (operation.Key.ToUpperInvariant(), path.Key)))];

    private static string ReadSources()
    {
        string[] folders = ["src", "tests", "bench", ".ci"];
        string[] kinds = [".cs", ".csproj", ".props", ".targets", ".razor", ".sh", ".mjs", ".js", ".py", ""];
        return string.Join('\n', folders.SelectMany(folder => Directory.EnumerateFiles(At(folder), "*", SearchOption.AllDirectories))
            .Append(At("check.sh"))
            .Where(file => !file.Contains("node_modules", StringComparison.Ordinal) && kinds.Contains(Path.GetExtension(file)))
            .Select(File.ReadAllText));
    }
}
