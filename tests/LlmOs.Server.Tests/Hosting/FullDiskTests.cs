using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>A data folder on a small disk of its own, which is full.</summary>
public sealed class FullDiskTests : IAsyncDisposable
{
    private const int MegaBytes = 80;

    private readonly SmallDisk _disk = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _disk.DisposeAsync();

    [Fact]
    public async Task What_writes_is_refused_with_507_and_everything_else_goes_on()
    {
        await _disk.MountAsync(MegaBytes);
        await using var server = await ServerProcess.StartAsync(new ServerStart { Data = Path.Combine(_disk.Root, "data") });
        using var client = server.Client();
        var fill = _disk.Fill();

        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v1/models", Cancel)).StatusCode);
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        using var ready = await client.GetAsync("/readyz", Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        Assert.Contains("the disk of the data folder is full", await ready.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/api/v1/artifacts/collect", null, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.InsufficientStorage, (await client.PostAsync("/api/v1/uploads", Json.Body(new { filename = "f", bytes = 10 }), Cancel)).StatusCode);

        // The write-ahead log takes some more rows; then it is full too.
        var codes = new HashSet<HttpStatusCode>();
        for (var i = 0; i < 2_000 && !codes.Contains(HttpStatusCode.InsufficientStorage); i++)
        {
            using var answer = await client.PostAsync("/api/v1/keys", Json.Body(new { name = new string('x', 100), scopes = new[] { "read" } }), Cancel);
            codes.Add(answer.StatusCode);
        }

        Assert.Contains(HttpStatusCode.InsufficientStorage, codes);
        Assert.Subset(new HashSet<HttpStatusCode> { HttpStatusCode.Created, HttpStatusCode.InsufficientStorage, HttpStatusCode.ServiceUnavailable }, codes);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v1/models", Cancel)).StatusCode);
        using var browser = await SignedInAsync(server);
        Assert.Equal(HttpStatusCode.OK, (await browser.GetAsync("/api/v1/jobs", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Found, (await browser.PostAsync("/logout", null, Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/v1/jobs", Cancel)).StatusCode);

        File.Delete(fill);
        await server.WaitUntilReadyAsync();
        Assert.Equal(HttpStatusCode.Created, (await client.PostAsync("/api/v1/keys", Json.Body(new { name = "x", scopes = new[] { "read" } }), Cancel)).StatusCode);
        Assert.Equal(0, await server.StopAsync());
    }

    /// <summary>Whoever is to make room signs in to the console for it.</summary>
    private static async Task<HttpClient> SignedInAsync(ServerProcess server)
    {
        var browser = server.Client(key: null);
        using var form = new FormUrlEncodedContent([new("key", ServerProcess.AdminKey), new("next", "/")]);
        using var answer = await browser.PostAsync("/login", form, Cancel);
        Assert.Equal("/", answer.Headers.Location?.OriginalString);
        browser.DefaultRequestHeaders.Add("Cookie", answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        return browser;
    }

    [Fact]
    public async Task An_import_that_is_larger_than_the_disk_fails_at_once_and_leaves_nothing()
    {
        await _disk.MountAsync(MegaBytes);
        var model = SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        var data = Path.Combine(_disk.Root, "data");
        await using var server = await ServerProcess.StartAsync(new ServerStart
        {
            Data = data,
            Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = Path.GetDirectoryName(model) },
        });
        using var client = server.Client();

        using var answer = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = $"file:{model}", name = "smol" }), Cancel);
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}");

        Assert.Equal(("failed", "out_of_disk"), (job.GetProperty("state").GetString(), job.GetProperty("error").GetProperty("code").GetString()));
        Assert.Matches(@"The model needs 1\.\d+ GB on the disk of the data folder; \d", job.GetProperty("error").GetProperty("message").GetString());
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(data, "scratch")));
        await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once", max_tokens = 2 });
        Assert.Equal(0, await server.StopAsync());
    }
}
