using System.Xml.Linq;
using LlmOs.Testing;

namespace LlmOs.Architecture.Tests;

/// <summary>The arrows between projects: a tier knows the tiers below it, and no other.</summary>
public class ProjectReferenceTests
{
    public static TheoryData<string> Projects =>
        [.. Directory.GetFiles(Path.Combine(SharedFolder.Repository, "src"), "*.csproj", SearchOption.AllDirectories)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_only_what_it_may(string csproj)
    {
        var name = Path.GetFileNameWithoutExtension(csproj);
        var references = XDocument.Load(csproj).Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!));

        Assert.Contains(name, Tiers.References.Keys);
        Assert.Empty(references.Except(Tiers.References[name]));
    }

    [Fact]
    public void The_server_builds_the_trainer_without_loading_it()
    {
        var server = XDocument.Load(Path.Combine(SharedFolder.Repository, "src", "LlmOs.Server", "LlmOs.Server.csproj"));

        var trainer = Assert.Single(server.Descendants("ProjectReference"), r => ((string)r.Attribute("Include")!).Contains("LlmOs.Trainer"));

        Assert.Equal("false", (string?)trainer.Attribute("ReferenceOutputAssembly"));
    }
}
