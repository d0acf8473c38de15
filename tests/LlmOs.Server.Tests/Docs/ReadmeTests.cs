using System.Diagnostics;
using System.Runtime.InteropServices;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Docs;

/// <summary>The README's tour, lived through by a newcomer: a fresh server and a fresh home, the lines as they stand, what they print.</summary>
public sealed class ReadmeTests(ReadmeTests.Server server) : IClassFixture<ReadmeTests.Server>
{
    /// <summary>A server as the first command of the README starts it, but for the port.</summary>
    public sealed class Server : ServerProcess
    {
        private readonly TempFolder _home = new();

        public string Home => _home.Path;

        protected override ServerStart Start => new()
        {
            Environment = new Dictionary<string, string?> { ["HOME"] = Home, ["LLMOS_DATA"] = null, ["LLMOS_ADMIN_KEY"] = null },
        };

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            _home.Dispose();
        }
    }

    private static readonly string Readme = File.ReadAllText(Path.Combine(SharedFolder.Repository, "README.md"));

    [Fact]
    public async Task The_tour_prints_what_the_readme_says()
    {
        var steps = ReadmeTour.Read(Readme);
        Assert.True(steps.Count >= 14, $"the README has only {steps.Count} lines to run");

        var outputs = await RunAsync([.. steps.Select(step => step.Command)]);

        foreach (var (step, output) in steps.Zip(outputs))
        {
            Assert.True(step.IsPrinted(output), $"README.md, line {step.Line}\n{step.Command}\nshould print\n{step.Expected}\nand printed\n{output}");
        }
    }

    [Fact]
    public async Task The_line_that_the_server_prints_works_when_it_is_pasted()
    {
        await server.WaitForLineAsync("Try it:");
        var line = await server.WaitForLineAsync("curl http");

        var output = Assert.Single(await RunAsync([line]));

        Assert.Contains("\"object\":\"text_completion\"", output, StringComparison.Ordinal);
        Assert.Contains("\"completion_tokens\":40", output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_comparison_can_fail()
    {
        var step = new TourStep(1, "curl", "{\"id\":\"cmpl-...\",\"text\":\"a\"}");

        Assert.True(step.IsPrinted("{\"id\":\"cmpl-1\",\"text\":\"a\"}\n"));
        Assert.False(step.IsPrinted("{\"id\":\"cmpl-1\",\"text\":\"b\"}"));
        Assert.False(step.IsPrinted("{\"id\":\"cmpl-1\",\"text\":\"a\"}\nmore"));
    }

    /// <summary>Runs lines in one bash, one after the other, and gives what each printed.</summary>
    private async Task<IReadOnlyList<string>> RunAsync(IReadOnlyList<string> commands)
    {
        const string End = "\u001e"; // no command prints it
        var key = (await server.WaitForLineAsync("Admin key")).Split(' ')[^1];
        var script = Path.Combine(server.Home, $"tour-{Guid.NewGuid():n}.sh");
        var here = $"127.0.0.1:{server.Address.Port}";
        await File.WriteAllLinesAsync(
            script,
            ["exec 2>&1 </dev/null", .. commands.SelectMany(command => new[] { Patient(command.Replace("127.0.0.1:8080", here, StringComparison.Ordinal)), $"printf '{End}'" })],
            TestContext.Current.CancellationToken);

        var start = new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true, WorkingDirectory = server.Home };
        start.Environment["HOME"] = server.Home;
        start.Environment["LLMOS_KEY"] = key;
        start.Environment["LLMOS_URL"] = $"http://{here}";
        start.Environment["PATH"] = $"{CommandLine()}{Path.PathSeparator}{start.Environment["PATH"]}";
        using var bash = Process.Start(start)!;
        var text = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        var outputs = text.Replace(here, "127.0.0.1:8080", StringComparison.Ordinal).Split(End);

        Assert.True(outputs.Length == commands.Count + 1, $"the lines did not run to their end:\n{text}");
        return outputs[..^1];
    }

    /// <summary>A line that waits for a job, sent again until the job is over, as a reader with a slow machine would do.</summary>
    private static string Patient(string command) => command.Contains("?wait=", StringComparison.Ordinal)
        ? $"while ANSWER=$({command}); case \"$ANSWER\" in *'\"finished_at\":null'*) ;; *) false;; esac; do :; done; printf '%s\\n' \"$ANSWER\""
        : command;

    /// <summary>The folder of <c>llmos</c>, built along with the tests.</summary>
    private static string CommandLine()
    {
        var configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)).Split('_')[0];
        var folder = Path.Combine(SharedFolder.Repository, "artifacts", "bin", "LlmOs.Cli", configuration);
        return new[] { folder, $"{folder}_{RuntimeInformation.RuntimeIdentifier}" }.FirstOrDefault(f => File.Exists(Path.Combine(f, "llmos")))
            ?? throw new InvalidOperationException($"The command line is not built: there is no {folder}/llmos.");
    }
}
