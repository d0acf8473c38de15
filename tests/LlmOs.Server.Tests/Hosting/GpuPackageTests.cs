#if LONG_TESTS
using System.Diagnostics;
using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>The build that carries ONNX Runtime for NVIDIA cards, on a machine that has none.</summary>
public sealed class GpuPackageTests : IClassFixture<GpuPackageTests.Build>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Built once, into a folder of its own within the repository, where tests find what they need.</summary>
    public sealed class Build : IAsyncLifetime
    {
        private static readonly string Artifacts = Path.Combine(SharedFolder.Repository, "artifacts", "cuda13");

        public async ValueTask InitializeAsync()
        {
            foreach (var project in new[] { "src/LlmOs.Server", "tests/LlmOs.Engine.Tests" })
            {
                var (code, output) = await RunAsync("dotnet", "build", project, "-c", "Release", "-p:OrtFlavor=cuda13", $"-p:ArtifactsPath={Artifacts}", "-p:RunAnalyzers=false");
                Assert.True(code == 0, output);
            }
        }

        public static string Program(string project) => Directory.GetFiles(Path.Combine(Artifacts, "bin", project), $"{project}.dll", SearchOption.AllDirectories)[0];

        public ValueTask DisposeAsync()
        {
            Directory.Delete(Artifacts, recursive: true);
            return ValueTask.CompletedTask;
        }
    }

    [Fact]
    public async Task Auto_takes_the_processor_and_says_why()
    {
        await using var server = await StartAsync("auto");
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });

        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        Assert.Contains("runs on the processor", await server.WaitForLineAsync("No NVIDIA card can be used"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_card_that_is_not_there_is_refused_with_the_reason()
    {
        await using var server = await StartAsync("cuda");
        using var client = server.Client();

        var refusal = await client.RefusedAsync("/v1/completions", """{"model":"starter","prompt":"x","max_tokens":1}""", HttpStatusCode.ServiceUnavailable);

        Assert.Contains("No NVIDIA card can be used", refusal.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("CUDA 13", refusal.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_engines_tests_pass_on_its_processor()
    {
        // The one test that is about the other package.
        var (code, output) = await RunAsync("dotnet", Build.Program("LlmOs.Engine.Tests"), "-method-", "*A_card_that_is_not_there_is_refused_with_what_to_do");

        Assert.True(code == 0, output[^Math.Min(output.Length, 4_000)..]);
        TestContext.Current.TestOutputHelper?.WriteLine(output.Split('\n').Last(line => line.Contains("Total:", StringComparison.Ordinal)));
    }

    private static Task<ServerProcess> StartAsync(string device) => ServerProcess.StartAsync(new ServerStart
    {
        ServerFile = Build.Program("LlmOs.Server"),
        Environment = new Dictionary<string, string?> { ["LLMOS_DEVICE"] = device },
    });

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        var info = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = SharedFolder.Repository };
        using var process = Process.Start(info)!;
        var error = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, output + await error);
    }
}
#endif
