using LlmOs.Testing;

namespace LlmOs.Architecture.Tests;

/// <summary>A source file that a person wrote holds one idea, and an idea has at most 350 lines.</summary>
public sealed class FileLengthTests
{
    private const int MaxLines = 350;

    private static readonly string[] Folders = ["src", "tests", "bench"];

    [Fact]
    public void No_source_file_is_longer_than_one_idea()
    {
        Assert.Empty(TooLong(SharedFolder.Repository));
    }

    [Fact]
    public void A_file_that_is_too_long_is_found_and_a_generated_one_is_not()
    {
        var root = Directory.CreateTempSubdirectory().FullName;
        try
        {
            Plant(root, "src/Some/Long.cs", MaxLines + 1);
            Plant(root, "tests/Some/Right.cs", MaxLines);
            Plant(root, "src/Some/Page.razor", MaxLines);
            Plant(root, "bench/Some/obj/Debug/Made.cs", 9_000);
            Plant(root, "src/Some/Migrations/Sqlite/2026_Initial.cs", 9_000);

            Assert.Equal([$"src/Some/Long.cs has {MaxLines + 1} lines"], TooLong(root));
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static List<string> TooLong(string root) =>
        [.. from folder in Folders
            let path = Path.Combine(root, folder)
            where Directory.Exists(path)
            from file in Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
            where Path.GetExtension(file) is ".cs" or ".razor" or ".mjs"
            let name = Path.GetRelativePath(root, file).Replace('\\', '/')
            where !IsMade(name)
            let lines = File.ReadLines(file).Count()
            where lines > MaxLines
            orderby name
            select $"{name} has {lines} lines"];

    /// <summary>Whether a tool wrote it: migrations of the database, what a build leaves.</summary>
    private static bool IsMade(string name) => name.Split('/') is var parts && (parts.Contains("Migrations") || parts.Contains("obj") || parts.Contains("bin") || parts.Contains("node_modules"));

    private static void Plant(string root, string name, int lines)
    {
        var path = Path.Combine(root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, Enumerable.Repeat("// a line", lines));
    }
}
