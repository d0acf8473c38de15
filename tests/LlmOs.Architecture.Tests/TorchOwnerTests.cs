using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using LlmOs.Testing;

namespace LlmOs.Architecture.Tests;

/// <summary>TorchSharp belongs to the trainer: no tier has it as a package, refers to it, or shows one of its types.</summary>
public class TorchOwnerTests
{
    private const string Owner = "LlmOs.Trainer";

    public static TheoryData<string> Projects =>
    [
        .. Directory.GetFiles(Path.Combine(SharedFolder.Repository, "src"), "*.csproj", SearchOption.AllDirectories)
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => name != Owner),
    ];

    [Theory]
    [MemberData(nameof(Projects))]
    public void No_other_project_has_torch(string project)
    {
        Assert.Empty(TorchPackages(project));

        // What the server loads lies here; the command line is no part of it, and its packages say enough.
        var assembly = Path.Combine(AppContext.BaseDirectory, $"{project}.dll");
        Assert.True(File.Exists(assembly) || project == "LlmOs.Cli", $"{project} was not built beside the tests.");
        Assert.Empty(File.Exists(assembly) ? TorchTypes(assembly) : []);
    }

    [Fact]
    public void The_server_brings_no_torch_along() =>
        Assert.DoesNotContain(Directory.GetFiles(AppContext.BaseDirectory).Select(Path.GetFileName), name => name!.Contains("torch", StringComparison.OrdinalIgnoreCase));

    [Fact]
    public void The_check_finds_torch_where_it_is()
    {
        var build = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        var trainer = Path.Combine(SharedFolder.Repository, "artifacts", "bin", Owner, build, $"{Owner}.dll");

        Assert.Contains("TorchSharp", TorchPackages(Owner));
        Assert.Contains("TorchSharp.torch", TorchTypes(trainer));
    }

    private static IReadOnlyList<string> TorchPackages(string project) =>
    [
        .. XDocument.Load(Path.Combine(SharedFolder.Repository, "src", project, $"{project}.csproj"))
            .Descendants("PackageReference")
            .Select(p => (string?)p.Attribute("Include") ?? "")
            .Where(name => name.Contains("torch", StringComparison.OrdinalIgnoreCase)),
    ];

    /// <summary>The types of TorchSharp that an assembly names anywhere: whatever it shows or uses is among them.</summary>
    private static IReadOnlyList<string> TorchTypes(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        return
        [
            .. metadata.TypeReferences
                .Select(metadata.GetTypeReference)
                .Where(type => !type.Namespace.IsNil && metadata.GetString(type.Namespace).StartsWith("TorchSharp", StringComparison.Ordinal))
                .Select(type => $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}"),
        ];
    }
}
