using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>Data sets of a hub: the files of rows are fetched at one commit, and their names say the splits.</summary>
public sealed class HubDatasetTests
{
    private const string Commit = "0123456789abcdef0123456789abcdef01234567";

    private static readonly Dictionary<string, string> Files = new()
    {
        ["README.md"] = "# Rows\n",
        ["data/train-00000-of-00001.jsonl"] = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n",
        ["data/test-00000-of-00001.jsonl"] = "{\"text\":\"three\"}\n",
        ["other/extra.jsonl"] = "{\"text\":\"four\"}\n",
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_repository_of_rows_becomes_a_version_that_knows_its_commit()
    {
        await using var hub = await StartHubAsync();
        var address = hub.Urls.Single() + "/";
        await using var server = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["HF_ENDPOINT"] = address, ["LLMOS_EGRESS"] = "127.0.0.1", ["LLMOS_ROLES"] = "api" } });
        using var client = server.Client();

        var folder = await ImportAsync(client, "hf:org/rows#data");
        Assert.Equal((2, 1), (folder.GetProperty("splits").GetProperty("train").GetInt32(), folder.GetProperty("splits").GetProperty("test").GetInt32()));
        var version = Json.Parse(await client.GetStringAsync("/api/v1/datasets/pulled/versions/1", Cancel));
        Assert.Equal($"hf:org/rows@{Commit}#data", version.GetProperty("lineage").GetProperty("source").GetString());

        Assert.Equal(4, (await ImportAsync(client, "hf:org/rows@main")).GetProperty("rows").GetInt32());
        Assert.Equal(1, (await ImportAsync(client, "hf:org/rows#other/extra.jsonl")).GetProperty("rows").GetInt32());
    }

    private static async Task<JsonElement> ImportAsync(HttpClient client, string source)
    {
        using var answer = await client.PostAsync("/api/v1/datasets/pulled/versions", Json.Body(new { source }), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        return job.GetProperty("result");
    }

    /// <summary>The hub's three routes, below <c>datasets</c>.</summary>
    private static async Task<WebApplication> StartHubAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var hub = builder.Build();
        hub.MapGet("/api/datasets/org/rows/revision/main", () => Results.Json(new { id = "org/rows", sha = Commit }));
        hub.MapGet($"/api/datasets/org/rows/tree/{Commit}", () => Results.Json(Files.Select(f =>
        {
            var content = Encoding.UTF8.GetBytes(f.Value);
            return new { type = "file", path = f.Key, size = content.Length, lfs = new { oid = Convert.ToHexStringLower(SHA256.HashData(content)), size = content.Length } };
        })));
        hub.MapGet($"/datasets/org/rows/resolve/{Commit}/{{**path}}", (string path) => Files.TryGetValue(path, out var content) ? Results.Text(content) : Results.NotFound());
        await hub.StartAsync(Cancel);
        return hub;
    }
}
