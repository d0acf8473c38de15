using System.Net;
using System.Net.Sockets;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;

namespace LlmOs.Cli.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llmos-cli-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Models_are_listed_with_the_figures_of_their_latest_version()
    {
        var version = new ModelVersionView(
            "org/tiny", 3, ModelVersionState.Ready, "text-generation", "llama", 1_290_000, 512, 4096, "f32", 5_160_000, null, [], null,
            new LineageView(null, null, []), [], new Dictionary<string, string>(), Answers.Day);
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/models", () => new Page<ModelView>([new ModelView("org/tiny", new Dictionary<string, int> { ["latest"] = 3 }, [1, 2, 3], "text-generation", Answers.Day)], null));
            app.MapGet("/api/v1/models/org%2Ftiny/versions/3", () => version);
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "list");

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        var row = outcome.Output.Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["org/tiny", "3", "text-generation", "1.3", "M", "512", "5.2", "MB", "ready"], row);
    }

    [Fact]
    public async Task A_missing_server_is_exit_code_3_and_says_how_to_start_one()
    {
        var outcome = await LlmosCommand.RunAsync(new($"http://127.0.0.1:{FreePort()}"), "list");

        Assert.Equal(3, outcome.Code);
        Assert.Contains("llmos serve", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "Set LLMOS_KEY")]
    [InlineData("wrong", "does not know that key")]
    public async Task A_refused_key_says_what_to_set(string? key, string expected)
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapGet("/api/v1/models", () => Answers.Problem(401, "invalid_api_key", "A key is needed.")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address, key), "list");

        Assert.Equal(1, outcome.Code);
        Assert.Contains("A key is needed.", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("frobnicate")]
    [InlineData("import", "folder")]
    [InlineData("run")]
    [InlineData("jobs", "--state", "asleep")]
    [InlineData("backup")]
    [InlineData("restore", "a", "b")]
    [InlineData("admin", "reset-keys")]
    public async Task Words_that_make_no_sense_are_exit_code_2(params string[] arguments)
    {
        var outcome = await LlmosCommand.RunAsync(new("http://127.0.0.1:9"), arguments);

        Assert.Equal(2, outcome.Code);
        Assert.NotEmpty(outcome.Error);
    }

    [Fact]
    public async Task An_address_that_is_none_names_the_setting()
    {
        var outcome = await LlmosCommand.RunAsync(new("localhost:8080"), "list");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("LLMOS_URL is 'localhost:8080'", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_runs_the_stated_server_with_its_arguments_and_gives_back_its_exit_code()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("shell scripts: this system runs none");
            return;
        }

        var script = Path.Combine(_folder.FullName, "LlmOs.Server");
        await File.WriteAllTextAsync(script, "#!/bin/sh\necho \"served $*\"\nexit 7\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var outcome = await LlmosCommand.RunAsync(new("", Server: _folder.FullName), "serve", "--urls", "http://127.0.0.1:1");

        Assert.Equal((7, "served --urls http://127.0.0.1:1\n"), (outcome.Code, outcome.Output));
    }

    [Theory]
    [InlineData("backup there --json", "backup", "there", "--json")]
    [InlineData("restore there", "restore", "there")]
    [InlineData("admin reset-key --revoke-others --json", "admin", "reset-key", "--json", "--revoke-others")]
    public async Task What_is_done_to_the_data_folder_is_done_by_the_servers_executable(string expected, params string[] words)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("shell scripts: this system runs none");
            return;
        }

        var script = Path.Combine(_folder.FullName, "LlmOs.Server");
        await File.WriteAllTextAsync(script, "#!/bin/sh\necho \"$*\"\nexit 1\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var outcome = await LlmosCommand.RunAsync(new("", Server: _folder.FullName), words);

        Assert.Equal((1, expected + "\n"), (outcome.Code, outcome.Output));
    }

    [Fact]
    public async Task Serve_without_a_server_says_where_it_looked()
    {
        var outcome = await LlmosCommand.RunAsync(new("", Server: _folder.FullName), "serve");

        Assert.Equal(2, outcome.Code);
        Assert.Contains(_folder.FullName, outcome.Error, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
