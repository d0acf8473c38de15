using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;

namespace LlmOs.Server.Tests.Registry;

/// <summary>What is in memory, loaded and unloaded by hand, by time and by what becomes of the model.</summary>
public sealed class RunningTests(FewSlotsServer server) : IClassFixture<FewSlotsServer>
{
    private const string Completions = "/v1/completions";
    private const string Model = FewSlotsServer.Stories;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_model_is_loaded_by_hand_listed_and_unloaded_by_hand()
    {
        using var client = await server.ReadyAsync();

        var loaded = Only(await client.PostJsonAsync($"/api/v1/models/{Model}/load", new { keep_alive = 600 }), Model);
        var listed = Only(await RunningAsync(client), Model);

        Assert.Equal(("ready", 1.0, 0, false), (Text(loaded, "state"), loaded.GetProperty("progress").GetDouble(), loaded.GetProperty("streams").GetInt32(), loaded.GetProperty("pinned").GetBoolean()));
        Assert.Equal(1, listed.GetProperty("version").GetInt32());
        Assert.True(listed.GetProperty("bytes").GetInt64() > 1 << 20);
        Assert.Equal(0, listed.GetProperty("kv_bytes").GetInt64());
        Assert.Equal(JsonValueKind.String, listed.GetProperty("expires_at").ValueKind);

        var pinned = Only(await client.PostJsonAsync($"/api/v1/models/{Model}:1/load", new { pinned = true }), Model);
        Assert.Equal((true, JsonValueKind.Null), (pinned.GetProperty("pinned").GetBoolean(), pinned.GetProperty("expires_at").ValueKind));
        await client.PostJsonAsync($"/api/v1/models/{Model}/load", new { pinned = false, keep_alive = -1 });

        using var unload = await client.PostAsync($"/api/v1/models/{Model}/unload", content: null, Cancel);
        Assert.Equal(HttpStatusCode.OK, unload.StatusCode);
        await UntilGoneAsync(client, Model);
    }

    [Fact]
    public async Task A_load_needs_no_body_and_an_unload_of_what_is_not_loaded_changes_nothing()
    {
        using var client = await server.ReadyAsync();

        using var load = await client.PostAsync($"/api/v1/models/{Model}/load", content: null, Cancel);
        using var first = await client.PostAsync($"/api/v1/models/{Model}/unload", content: null, Cancel);
        await UntilGoneAsync(client, Model);
        using var second = await client.PostAsync($"/api/v1/models/{Model}/unload", content: null, Cancel);

        Assert.All(new[] { load, first, second }, answer => Assert.Equal(HttpStatusCode.OK, answer.StatusCode));
    }

    [Fact]
    public async Task A_request_says_how_long_its_model_stays()
    {
        using var client = await server.ReadyAsync();

        await client.PostJsonAsync(Completions, new { model = Model, prompt = "Once", max_tokens = 1, keep_alive = 600 });
        Assert.Equal(JsonValueKind.String, Only(await RunningAsync(client), Model).GetProperty("expires_at").ValueKind);
        await client.PostJsonAsync(Completions, new { model = Model, prompt = "Once", max_tokens = 1, keep_alive = 0 });

        await UntilGoneAsync(client, Model);
        var error = await client.RefusedAsync(Completions, JsonSerializer.Serialize(new { model = Model, prompt = "Once", keep_alive = -2 }));
        Assert.Equal("keep_alive", error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_request_under_way_holds_its_model_and_shows_what_its_cache_takes()
    {
        using var client = await server.ReadyAsync();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var many = client.PostAsync(
            Completions,
            Json.Body(new { model = Model, prompt = Enumerable.Repeat("Once upon a time", 2048), n = 64, max_tokens = 400, min_tokens = 400 }),
            leaving.Token);
        var held = await UntilAsync(client, model => model is { } found && found.GetProperty("kv_bytes").GetInt64() > 0);
        Assert.Equal(1, held!.Value.GetProperty("streams").GetInt32());

        using var unload = await client.PostAsync($"/api/v1/models/{Model}/unload", content: null, Cancel);
        Assert.Equal("unloading", Text(Only(await RunningAsync(client), Model), "state"));
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => many);

        await UntilGoneAsync(client, Model);
    }

    [Fact]
    public async Task An_archived_model_is_unloaded_when_it_is_idle()
    {
        using var client = await server.ReadyAsync();
        await client.PostJsonAsync($"/api/v1/models/{Model}/load", new { pinned = true });
        try
        {
            await PatchAsync(archived: true);
            await UntilGoneAsync(client, Model);
        }
        finally
        {
            await PatchAsync(archived: false);
        }

        async Task PatchAsync(bool archived)
        {
            using var answer = await client.PatchAsync($"/api/v1/models/{Model}", Json.Body(new { archived }), Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    [Fact]
    public async Task Who_may_look_may_not_load_and_an_unknown_model_is_named()
    {
        using var admin = await server.ReadyAsync();
        using var made = await admin.PostAsync("/api/v1/keys", Json.Body(new { name = "looker", scopes = new[] { "read" } }), Cancel);
        using var reader = server.Client(Json.Parse(await made.Content.ReadAsStringAsync(Cancel)).GetProperty("key").GetString());

        await RunningAsync(reader);
        using var load = await reader.PostAsync($"/api/v1/models/{Model}/load", content: null, Cancel);
        using var unload = await reader.PostAsync($"/api/v1/models/{Model}/unload", content: null, Cancel);
        using var unknown = await admin.PostAsync("/api/v1/models/nobody/load", content: null, Cancel);

        Assert.Equal([HttpStatusCode.Forbidden, HttpStatusCode.Forbidden, HttpStatusCode.NotFound], [load.StatusCode, unload.StatusCode, unknown.StatusCode]);
    }

    private static async Task<JsonElement> RunningAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/api/v1/running", Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Json.Parse(await answer.Content.ReadAsStringAsync(Cancel));
    }

    private static JsonElement Only(JsonElement running, string model) =>
        Assert.Single(running.GetProperty("items").EnumerateArray(), item => Text(item, "model") == model);

    private static string? Text(JsonElement item, string name) => item.GetProperty(name).GetString();

    private static async Task UntilGoneAsync(HttpClient client, string model) => await UntilAsync(client, found => found is null, model);

    private static async Task<JsonElement?> UntilAsync(HttpClient client, Predicate<JsonElement?> isSo, string model = Model)
    {
        for (var i = 0; ; i++)
        {
            var items = (await RunningAsync(client)).GetProperty("items").EnumerateArray().Where(item => Text(item, "model") == model).ToList();
            JsonElement? found = items.Count == 0 ? null : items[0];
            if (isSo(found))
            {
                return found;
            }

            Assert.True(i < 600, $"it never came to be: {found?.GetRawText()}");
            await Task.Delay(100, Cancel);
        }
    }
}
