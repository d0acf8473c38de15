using System.Text.RegularExpressions;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Models;
using LlmOs.Testing;

namespace LlmOs.Architecture.Tests;

/// <summary>A path of a dialect stands in the dialect's folder and nowhere else: all other code asks the endpoint.</summary>
public class DialectPathTests
{
    private const string Folders = "src/LlmOs.Models/Dialects";

    /// <summary>Who calls a dialect as its clients do, and so has to name its paths.</summary>
    private static readonly string[] Callers = ["src/LlmOs.Contracts/", "src/LlmOs.Cli/", "src/LlmOs.Web/"];

    private static readonly string[] SourceFiles = ["*.cs", "*.razor"];

    [Fact]
    public void No_path_of_a_dialect_stands_outside_its_folder()
    {
        var dialects = Dialects();
        Assert.True(dialects.Count >= 2, "No dialects were found.");
        var files = SourceFiles.SelectMany(kind => Directory.EnumerateFiles(Path.Combine(SharedFolder.Repository, "src"), kind, SearchOption.AllDirectories))
            .Select(file => (Name: Path.GetRelativePath(SharedFolder.Repository, file).Replace('\\', '/'), Text: File.ReadAllText(file)))
            .Where(file => !Callers.Any(caller => file.Name.StartsWith(caller, StringComparison.Ordinal)))
            .ToList();
        Assert.Contains(files, file => file.Name == "src/LlmOs.Server/Http/ProblemHandler.cs");

        Assert.Empty(files.SelectMany(file => Faults(file.Name, file.Text, dialects)));
    }

    [Theory]
    [InlineData("src/LlmOs.Server/Http/Planted.cs", """if (path.StartsWithSegments("/v1")) { }""")]
    [InlineData("src/LlmOs.Server/Http/Planted.cs", """private static readonly PathString[] Paths = ["/api", "/Pipeline"];""")]
    [InlineData("src/LlmOs.Infrastructure/Planted.cs", """var url = $"/v1/models/{name}";""")]
    [InlineData("src/LlmOs.Models/Planted.cs", "const string Path = @\"/detokenize?x=1\";")]
    [InlineData("src/LlmOs.Models/Dialects/HuggingFace/Planted.cs", """routes.MapPost("/v1/completions", Run);""")]
    [InlineData("src/LlmOs.Models/Dialects/OpenAi/Planted.cs", """routes.MapPost("/models/{model}/v1/completions", Run);""")]
    public void The_rule_can_fail(string file, string text) => Assert.Single(Faults(file, text, Dialects()));

    [Theory]
    [InlineData("src/LlmOs.Models/Dialects/OpenAi/Right.cs", """routes.MapPost("/v1/completions", Run);""")]
    [InlineData("src/LlmOs.Models/Registry/Right.cs", """routes.MapGroup("/api/v1/models");""")]
    [InlineData("src/LlmOs.Models/Registry/Right.cs", """var hint = "GET /v1/models lists them.";""")]
    [InlineData("src/LlmOs.Server/Right.cs", """routes.MapGet("/v1x/models-of-mine", Run);""")]
    public void The_rule_lets_pass_what_is_right(string file, string text) => Assert.Empty(Faults(file, text, Dialects()));

    /// <summary>Each dialect with its folder; a dialect in another tier would need a folder of its own here.</summary>
    private static List<(IDialect Dialect, string Folder)> Dialects() =>
    [
        .. typeof(ModelsTier).Assembly.GetTypes()
            .Where(type => type.IsAssignableTo(typeof(IDialect)) && !type.IsAbstract)
            .Select(type => ((IDialect)Activator.CreateInstance(type, nonPublic: true)!, $"{Folders}/{type.Namespace!.Split('.')[^1]}/")),
    ];

    private static IEnumerable<string> Faults(string file, string text, IEnumerable<(IDialect Dialect, string Folder)> dialects) =>
        from dialect in dialects
        where !file.StartsWith(dialect.Folder, StringComparison.Ordinal)
        from prefix in dialect.Dialect.Prefixes
        from Match match in Regex.Matches(text, $"""["]{Regex.Escape(prefix.Value!)}(?=["/?#{"{"}])""", RegexOptions.IgnoreCase)
        select $"{file}: {match.Value} is a path of the dialect '{dialect.Dialect.Name}'";
}
