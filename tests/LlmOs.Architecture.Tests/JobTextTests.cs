using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Testing;
using Mono.Cecil;

namespace LlmOs.Architecture.Tests;

/// <summary>What jobs say travels as codes and arguments: nobody reads it out of a text, and tier 1 knows no kind of a tier above.</summary>
public partial class JobTextTests
{
    private static readonly Assembly[] Tiers = [typeof(JobKind).Assembly, Assembly.Load("LlmOs.Models"), Assembly.Load("LlmOs.Tools"), Assembly.Load("LlmOs.Apps")];

    /// <summary>Where a word of an upper tier names something of this tier: the folder and the role that the contract calls so.</summary>
    private static readonly HashSet<(string File, string Word)> Named = [("DataFolder.cs", "import"), ("LlmOsSettings.cs", "import"), ("NodeHeartbeat.cs", "training")];

    /// <summary>Projects whose types show jobs, and the names of what they are built into.</summary>
    public static TheoryData<string, string> Clients => new() { { "LlmOs.Web", "LlmOs.Web.dll" }, { "LlmOs.Cli", "llmos.dll" } };

    [Theory]
    [MemberData(nameof(Clients))]
    public void No_regular_expression_reads_what_jobs_say(string project, string assembly) => Assert.Empty(ReadersOfJobText(Built(project, assembly)));

    [Fact]
    public void A_regular_expression_over_job_text_is_found() =>
        Assert.Contains(typeof(PlantedReader).FullName!.Replace('+', '/'), ReadersOfJobText(typeof(JobTextTests).Assembly.Location));

    [Fact]
    public void Tier_1_names_no_kind_of_a_tier_above()
    {
        var root = Path.Combine(SharedFolder.Repository, "src", "LlmOs.Infrastructure");
        var faults = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .SelectMany(path => KindsNamed(File.ReadAllText(path)).Where(word => !Named.Contains((Path.GetFileName(path), word))).Select(word => $"{Path.GetFileName(path)}: {word}"));

        Assert.Equal(["evaluation", "import", "tokenizer", "training"], UpperKinds().Order(StringComparer.Ordinal).Where(k => k is "evaluation" or "import" or "tokenizer" or "training"));
        Assert.Empty(faults);
    }

    [Theory]
    [InlineData("""var lane = Kind == "training" ? 1 : 0;""", "training")]
    [InlineData("""example = "{\"kind\":\"import\"}";""", "import")]
    public void A_kind_of_a_tier_above_is_found_in_a_text_of_the_source(string source, string word) => Assert.Contains(word, KindsNamed(source));

    [Fact]
    public void Both_languages_of_the_console_have_words_for_each_code_and_each_kind()
    {
        var codes = Codes();
        var words = Words("Codes");
        var said = codes.Select(c => c.Word).ToList();

        Assert.True(codes.Count > 50, "the codes were not found");
        Assert.Equal(said.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal), said.Order(StringComparer.Ordinal)); // a code says one thing
        Assert.Equal(said.Order(StringComparer.Ordinal), words.Keys.Order(StringComparer.Ordinal));
        foreach (var code in codes)
        {
            Assert.Matches("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", code.Word);
            foreach (var language in new[] { "English", "Chinese" })
            {
                var sentence = words[code.Word][language];
                Assert.False(string.IsNullOrWhiteSpace(sentence), $"{code.Word} has no words in {language}");
                Assert.Equal(JobPhrase.Places(code.Sentence).Order(StringComparer.Ordinal), JobPhrase.Places(sentence).Order(StringComparer.Ordinal));
            }
        }

        var kinds = Words("Kinds");
        Assert.Equal(Kinds().Select(k => k.Word).Order(StringComparer.Ordinal), kinds.Keys.Order(StringComparer.Ordinal));
        Assert.All(kinds.Values, names => Assert.All(names.Values, name => Assert.False(string.IsNullOrWhiteSpace(name))));
    }

    /// <summary>Each static field of the tiers that holds a code: there is no other place to make one.</summary>
    private static List<JobCode> Codes() =>
    [
        .. Tiers.SelectMany(a => a.GetTypes())
            .SelectMany(t => t.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(f => f.FieldType == typeof(JobCode))
            .Select(f => (JobCode)f.GetValue(null)!),
    ];

    private static IEnumerable<JobKind> Kinds() => Tiers.SelectMany(a => a.GetTypes())
        .Where(t => t.IsSubclassOf(typeof(JobKind)) && !t.IsAbstract)
        .Select(t => (JobKind)RuntimeHelpers.GetUninitializedObject(t)); // a kind's word needs nothing else of it

    private static IEnumerable<string> UpperKinds() => Kinds().Where(k => k.GetType().Assembly != Tiers[0]).Select(k => k.Word);

    /// <summary>The upper tiers' kinds that stand as a word between quotation marks.</summary>
    private static IEnumerable<string> KindsNamed(string source) =>
        UpperKinds().Where(word => source.Contains($"\"{word}\"", StringComparison.Ordinal) || source.Contains($"\\\"{word}\\\"", StringComparison.Ordinal)
            || source.Contains($",{word}\"", StringComparison.Ordinal));

    /// <summary>A table of the console's words: each entry's texts by the language.</summary>
    private static Dictionary<string, Dictionary<string, string>> Words(string table)
    {
        var type = Assembly.Load("LlmOs.Web").GetType("LlmOs.Web.Language.JobWords", throwOnError: true)!;
        var entries = (System.Collections.IEnumerable)type.GetField(table)!.GetValue(null)!;
        return entries.Cast<object>().ToDictionary(
            e => (string)e.GetType().GetProperty("Key")!.GetValue(e)!,
            e => Texts(e.GetType().GetProperty("Value")!.GetValue(e)!));

        static Dictionary<string, string> Texts(object words) =>
            new[] { "English", "Chinese" }.ToDictionary(l => l, l => (string)words.GetType().GetProperty(l)!.GetValue(words)!);
    }

    /// <summary>The newest build of a project.</summary>
    private static string Built(string project, string assembly) => Directory
        .EnumerateFiles(Path.Combine(SharedFolder.Repository, "artifacts", "bin", project), assembly, SearchOption.AllDirectories)
        .MaxBy(File.GetLastWriteTimeUtc) ?? throw new InvalidOperationException($"{project} is not built: build the solution first.");

    /// <summary>The types, with what the compiler makes within them, that know both a job's text and a regular expression.</summary>
    private static List<string> ReadersOfJobText(string assembly)
    {
        string[] texts = [typeof(JobView).FullName!, typeof(JobEventView).FullName!, typeof(JobLogView).FullName!];
        using var module = ModuleDefinition.ReadModule(assembly);
        return
        [
            .. module.Types.SelectMany(t => t.NestedTypes.Where(n => !n.Name.Contains('<')).Prepend(t))
                .Where(t => Uses(t) is var used && used.Overlaps(texts) && used.Contains(typeof(Regex).FullName!))
                .Select(t => t.FullName),
        ];
    }

    private static HashSet<string> Uses(TypeDefinition type)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        used.UnionWith(type.Fields.Select(f => f.FieldType.FullName));
        foreach (var method in type.Methods)
        {
            used.Add(method.ReturnType.FullName);
            used.UnionWith(method.Parameters.Select(p => p.ParameterType.FullName));
            used.UnionWith(method.Body?.Variables.Select(v => v.VariableType.FullName) ?? []);
            foreach (var operand in method.Body?.Instructions.Select(i => i.Operand) ?? [])
            {
                used.UnionWith(operand switch
                {
                    MethodReference called => [called.DeclaringType.FullName, called.ReturnType.FullName],
                    FieldReference field => [field.DeclaringType.FullName, field.FieldType.FullName],
                    TypeReference named => [named.FullName],
                    _ => [],
                });
            }
        }

        foreach (var made in type.NestedTypes.Where(n => n.Name.Contains('<')))
        {
            used.UnionWith(Uses(made));
        }

        return used;
    }

    /// <summary>What must not be written, for the rule to be seen to find it.</summary>
    private static partial class PlantedReader
    {
        public static string StepOf(JobLogView line) => Step().Match(line.Text).Value;

        [GeneratedRegex("^step [0-9]+")]
        private static partial Regex Step();
    }
}
