using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Testing;
using YamlDotNet.Serialization;

namespace LlmOs.Server.Tests.Docker;

/// <summary>The compose file, checked by docker-compose and then lived through without containers: published server, real PostgreSQL.</summary>
public sealed partial class ComposeTests(PostgresServer postgres)
{
    private const string AdminKey = "compose-admin-key-0123456789";

    [Fact]
    public async Task Docker_compose_accepts_the_file_and_asks_for_the_secrets()
    {
        Assert.SkipWhen(await RunAsync("which", ["docker-compose"]) != 0, "needs docker-compose, which is not on the PATH");
        string[] check = ["-f", Path.Combine(SharedFolder.Repository, "docker-compose.yml"), "config", "-q"];

        var with = await RunAsync("docker-compose", check, ("LLMOS_DB_PASSWORD", "secret"), ("LLMOS_ADMIN_KEY", AdminKey));
        var without = await RunAsync("docker-compose", check);

        Assert.Equal(0, with);
        Assert.NotEqual(0, without);
    }

    [Fact]
    public async Task The_published_server_answers_in_the_environment_of_the_compose_file()
    {
        var database = await postgres.NewDatabaseAsync();
        using var folder = new TempFolder();
        var published = BuiltProgram.PublishedFolder ?? await PublishAsync(folder.At("app"));

        var environment = ServerEnvironment();
        Assert.StartsWith("Host=db;", environment["LLMOS_DATABASE"], StringComparison.Ordinal);
        environment["LLMOS_DATABASE"] = database;
        environment["LLMOS_IMPORT_DIRS"] = environment["LLMOS_IMPORT_DIRS"]!.Replace("/data", folder.At("data"), StringComparison.Ordinal);
        environment.Remove("LLMOS_DATA");
        environment.Remove("ASPNETCORE_URLS");
        await using var server = await ServerProcess.StartAsync(new ServerStart
        {
            ServerFile = Path.Combine(published, "LlmOs.Server.dll"),
            Data = folder.At("data"),
            Environment = environment,
        });

        using var client = server.Client(AdminKey);
        using var answer = await client.PostAsJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 8, temperature = 0 });
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(answer.IsSuccessStatusCode, body.ToString());
        Assert.NotEmpty(body.GetProperty("choices")[0].GetProperty("text").GetString()!);
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>Runs the Dockerfile's publish lines, as check.sh does before the tests.</summary>
    private static async Task<string> PublishAsync(string folder)
    {
        foreach (var line in Dockerfile.Instructions.Where(i => i.Word == "RUN" && i.Rest.StartsWith("dotnet publish", StringComparison.Ordinal)))
        {
            // As written, but for the build arguments' defaults and the place of the output.
            var arguments = line.Rest.Replace("${ORT_FLAVOR}", "cpu", StringComparison.Ordinal)
                .Replace("${LLMOS_TORCH}", "cpu", StringComparison.Ordinal)
                .Replace("/out/server", folder, StringComparison.Ordinal)
                .Split(' ')[1..];
            Assert.Equal(0, await RunAsync("dotnet", arguments));
        }

        return folder;
    }

    /// <summary>What compose would set for the service <c>server</c>.</summary>
    private static Dictionary<string, string?> ServerEnvironment()
    {
        var text = File.ReadAllText(Path.Combine(SharedFolder.Repository, "docker-compose.yml"));
        var file = new DeserializerBuilder().Build().Deserialize<Dictionary<string, object>>(text);
        var server = (Dictionary<object, object>)((Dictionary<object, object>)file["services"])["server"];
        return ((Dictionary<object, object>)server["environment"]).ToDictionary(pair => (string)pair.Key, pair => (string?)Variable().Replace((string)pair.Value, Value));
    }

    private static string Value(Match variable) => variable.Groups["name"].Value switch
    {
        "LLMOS_ADMIN_KEY" => AdminKey,
        "LLMOS_DB_PASSWORD" => "secret",
        _ => "",
    };

    [GeneratedRegex(@"\$\{(?<name>\w+)[^}]*\}")]
    private static partial Regex Variable();

    private static async Task<int> RunAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = SharedFolder.Repository, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            TestContext.Current.SendDiagnosticMessage($"{program}: {string.Concat(output)}");
        }

        return process.ExitCode;
    }
}
