using System.Net;
using System.Text;
using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>A server that holds the small published models of the shared folder; tests that use it skip where that is absent.</summary>
public sealed class ModelServer : ServerProcess
{
    public const string Stories = "stories260k";
    public const string Gqa = "llama-gqa";
    public const string Rope = "tiny/llama-rope3";

    /// <summary>Where models may be imported from; it need not be there.</summary>
    public static string ImportFolder => Environment.GetEnvironmentVariable("LLMOS_SHARED") is { Length: > 0 } shared
        ? shared
        : Path.GetFullPath(Path.Combine(SharedFolder.Repository, "..", "shared"));

    private readonly SemaphoreSlim _importing = new(1, 1);
    private bool _imported;

    protected override bool StartsAtOnce => false;

    protected override ServerStart Start => new()
    {
        Environment = new Dictionary<string, string?>
        {
            ["LLMOS_IMPORT_DIRS"] = ImportFolder,
        },
    };

    /// <summary>A client of the server, once the models are there.</summary>
    public async Task<HttpClient> ReadyAsync()
    {
        SharedFolder.Require("models", "hf-tiny");
        var client = await StartedAsync();
        await _importing.WaitAsync();
        try
        {
            if (!_imported)
            {
                await ImportAsync(this, Stories, "models", "stories260K", "hf");
                await ImportAsync(this, Gqa, "models", "hf-tiny", "llama-gqa");
                await ImportAsync(this, Rope, "models", "hf-tiny", "llama-rope3-tied");
                _imported = true;
            }
        }
        finally
        {
            _importing.Release();
        }

        return client;
    }

    /// <summary>Imports a folder of the shared folder and waits for it; skips the test where that is absent.</summary>
    public static Task ImportAsync(ServerProcess server, string name, params string[] path) => ImportAsync(server, name, precision: null, path);

    public static async Task ImportAsync(ServerProcess server, string name, string? precision, string[] path)
    {
        using var client = server.Client();
        using var answer = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = $"file:{SharedFolder.Require(path)}", name, precision }));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}");
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.GetRawText());
    }
}

/// <summary>Requests and answers as plain JSON: the tests speak as any client does, not with our own records.</summary>
internal static class Json
{
    public static StringContent Body(object body) => Raw(JsonSerializer.Serialize(body));

    public static StringContent Raw(string json) => new(json, Encoding.UTF8, "application/json");

    /// <summary>Posts and expects 200.</summary>
    public static async Task<JsonElement> PostJsonAsync(this HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsync(path, Body(body));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{(int)answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement.Clone();
    }

    /// <summary>Posts and expects a refusal; gives its <c>error</c>.</summary>
    public static async Task<JsonElement> RefusedAsync(this HttpClient client, string path, string json, HttpStatusCode status = HttpStatusCode.BadRequest)
    {
        using var answer = await client.PostAsync(path, Raw(json));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{(int)answer.StatusCode}: {text}");
        return JsonDocument.Parse(text).RootElement.GetProperty("error").Clone();
    }

    /// <summary>Posts and reads the data of every event, to the end.</summary>
    public static async Task<IReadOnlyList<string>> StreamAsync(this HttpClient client, string path, object body)
    {
        using var answer = await client.PostAsync(path, Body(body));
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        Assert.All(lines, line => Assert.True(line.Length == 0 || line.StartsWith("data: ", StringComparison.Ordinal), line));
        return [.. lines.Where(line => line.Length > 0).Select(line => line["data: ".Length..])];
    }

    public static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement.Clone();

    public static int[] Ids(this JsonElement list) => [.. list.EnumerateArray().Select(id => id.GetInt32())];
}
