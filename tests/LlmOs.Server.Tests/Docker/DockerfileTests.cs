using System.Xml.Linq;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Docker;

/// <summary>No image is built here; what a build would trip over is checked instead.</summary>
public class DockerfileTests
{
    private static readonly string[] KnownImages =
    [
        "mcr.microsoft.com/dotnet/sdk:10.0",
        "mcr.microsoft.com/dotnet/aspnet:10.0",
        "nvidia/cuda:13.0.1-cudnn-runtime-ubuntu24.04",
    ];

    [Fact]
    public void Every_base_image_has_a_fixed_tag_that_is_known()
    {
        var images = Dockerfile.Instructions.Where(i => i.Word == "FROM").Select(i => i.Parts[0]).ToList();

        Assert.NotEmpty(images);
        Assert.Empty(images.Except(KnownImages));
    }

    [Fact]
    public void Everything_that_is_copied_from_the_repository_exists()
    {
        var sources = Dockerfile.Instructions
            .Where(i => i.Word == "COPY" && !i.Rest.StartsWith("--from", StringComparison.Ordinal))
            .SelectMany(i => i.Parts[..^1])
            .ToList();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.True(Path.Exists(Path.Combine(SharedFolder.Repository, source)), source));
    }

    [Fact]
    public void Every_project_that_the_server_is_built_of_is_copied_before_the_restore()
    {
        var copied = Dockerfile.Instructions
            .TakeWhile(i => !(i.Word == "RUN" && i.Rest.Contains("dotnet restore", StringComparison.Ordinal)))
            .Where(i => i.Word == "COPY")
            .SelectMany(i => i.Parts[..^1]);

        Assert.Empty(ProjectsOf("src/LlmOs.Server/LlmOs.Server.csproj").Except(copied));
    }

    [Fact]
    public void Every_image_that_runs_has_a_user_without_rights_and_a_health_check()
    {
        var running = Dockerfile.Instructions.Where(i => i.Word == "ENTRYPOINT").Select(i => i.Stage).ToList();

        Assert.Equal(["server", "server-cuda"], running);
        foreach (var stage in running)
        {
            var user = Assert.Single(Dockerfile.Instructions, i => i.Stage == stage && i.Word == "USER");
            Assert.DoesNotContain(user.Rest, new[] { "root", "0" });
            Assert.Single(Dockerfile.Instructions, i => i.Stage == stage && i.Word == "HEALTHCHECK");
        }
    }

    /// <summary>A project and all that it refers to, as paths from the repository's root.</summary>
    private static HashSet<string> ProjectsOf(string project)
    {
        HashSet<string> all = [];
        void Visit(string path)
        {
            if (!all.Add(path))
            {
                return;
            }

            var folder = Path.GetDirectoryName(Path.Combine(SharedFolder.Repository, path))!;
            foreach (var reference in XDocument.Load(Path.Combine(SharedFolder.Repository, path)).Descendants("ProjectReference"))
            {
                var target = Path.GetFullPath(Path.Combine(folder, (string)reference.Attribute("Include")!));
                Visit(Path.GetRelativePath(SharedFolder.Repository, target).Replace('\\', '/'));
            }
        }

        Visit(project);
        return all;
    }
}
