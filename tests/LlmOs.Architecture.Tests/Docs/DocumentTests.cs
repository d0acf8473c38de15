using System.Reflection;

namespace LlmOs.Architecture.Tests.Docs;

/// <summary>What the documentation names exists: paths, links, routes, tests, settings.</summary>
public class DocumentTests
{
    /// <summary>Names that only look like the class of a test.</summary>
    private static readonly string[] OtherNames = ["LongTests"];

    public static TheoryData<string> Pages => [.. Documents.All];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Everything_that_a_page_names_exists(string page) => Assert.Empty(Faults(Documents.Read(page), Path.GetDirectoryName(page)!));

    [Theory]
    [InlineData("see `src/LlmOs.Models/Nowhere.cs`.", "src/LlmOs.Models/Nowhere.cs")]
    [InlineData("[a link](nowhere.md)", "nowhere.md")]
    [InlineData("`GET /api/v1/nowhere`", "/api/v1/nowhere")]
    [InlineData("`PATCH /api/v1/jobs/{id}`", "/api/v1/jobs/{id}")]
    [InlineData("`/api/v1/nowhere/...`", "/api/v1/nowhere/")]
    [InlineData("LlmOs.Models.Tests: NowhereTests.It_works", "NowhereTests")]
    [InlineData("`LLMOS_" + "NOWHERE`", "NOWHERE")] // in two parts, or this file would be where it is read
    [InlineData("`Engine:Nowhere` and more", "Engine:Nowhere")]
    public void What_does_not_exist_is_found(string text, string fault) => Assert.Contains(fault, Assert.Single(Faults(text, "docs")), StringComparison.Ordinal);

    [Theory]
    [InlineData("`src/LlmOs.Models/Zoo/{family}/<name>.cs`, `tests/LlmOs.*.Tests`")]
    [InlineData("`GET /api/v1/jobs/{id}`, `GET /api/v1/jobs/job_1`, `/pipeline/fill-mask`, `/api/v1/...`")]
    [InlineData("https://github.com/someone/src/nowhere and `shared/tests/nowhere`")]
    public void Placeholders_and_other_places_are_no_fault(string text) => Assert.Empty(Faults(text, "docs"));

    private static List<string> Faults(string text, string folder)
    {
        var sections = Sections();
        var routes = Documents.Routes();
        return
        [
            .. DocumentNames.Paths(text).Where(path => !Documents.Exists(path)).Select(path => $"There is no {path}."),
            .. DocumentNames.Links(text).Where(link => !Path.Exists(Documents.At(Path.Combine(folder, link)))).Select(link => $"The link {link} leads nowhere."),
            .. DocumentNames.Routes(text).Where(route => !DocumentNames.IsRoute(route, routes)).Select(route => $"There is no route {route.Method} {route.Path}."),
            .. DocumentNames.TestClasses(text).Where(name => !IsTest(name)).Select(name => $"There is no class {name}."),
            .. DocumentNames.Variables(text).Where(name => !Documents.Sources.Contains(name, StringComparison.Ordinal)).Select(name => $"Nothing reads {name}."),
            .. DocumentNames.Keys(text, sections.Keys).Where(key => !sections[key.Section].Any(type => type.GetProperty(key.Key) is not null)).Select(key => $"There is no setting {key.Section}:{key.Key}."),
        ];
    }

    private static bool IsTest(string name) => OtherNames.Contains(name) || Documents.Sources.Contains($"class {name}", StringComparison.Ordinal);

    /// <summary>The sections of the configuration: every options class says which it reads; two may read one.</summary>
    private static Dictionary<string, Type[]> Sections() => Tiers.Loaded.SelectMany(project => Tiers.Assembly(project).GetExportedTypes())
        .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
        .Select(type => (Type: type, Section: type.GetField("Section", BindingFlags.Public | BindingFlags.Static)?.GetRawConstantValue() as string))
        .Where(options => options.Section is not null)
        .GroupBy(options => options.Section!, options => options.Type, StringComparer.Ordinal)
        .ToDictionary(section => section.Key, section => section.ToArray(), StringComparer.Ordinal);
}
