using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Testing;
using Microsoft.Data.Sqlite;

namespace LlmOs.Server.Tests.Apps;

/// <summary>Apps over HTTP, on the built server and the model that comes with it.</summary>
public class AppEndpointsTests(ServerProcess server)
{
    [Fact]
    public async Task An_app_is_made_used_with_its_own_key_and_ended_with_it()
    {
        using var admin = new LlmOsClient(server.Client());
        var created = await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "tales", Model = "starter", Settings = new AppSettings { Temperature = 0 } }, default);
        using var user = new LlmOsClient(server.Client(created.Key));

        var reply = await user.InvokeAppAsync("tales", Inputs(), default);

        Assert.Equal(("/apps/tales", "/api/v1/apps/tales/openapi.json"), (created.Page, created.Openapi));
        Assert.StartsWith("Once upon a time", reply.Output["story"], StringComparison.Ordinal);
        Assert.True(reply.Output["story"].Length > "Once upon a time".Length);
        Assert.Equal("starter:1", reply.Model);
        Assert.Equal(reply.Usage.PromptTokens + reply.Usage.CompletionTokens, reply.Usage.TotalTokens);
        Assert.InRange(reply.Usage.CompletionTokens, 1, 20);
        Assert.Equal(reply.Output["story"], (await admin.InvokeAppAsync("tales", Inputs(), default)).Output["story"]);

        // Its key opens nothing else, and dies with the app.
        Assert.Equal(HttpStatusCode.Forbidden, (await Assert.ThrowsAsync<LlmOsApiException>(() => user.ListModelsAsync(null, default))).Status);
        Assert.Equal("tales", Assert.Single((await admin.ListAppsAsync(null, default)).Items, a => a.Slug == "tales").Slug);
        await admin.DeleteAppAsync("tales", default);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Assert.ThrowsAsync<LlmOsApiException>(() => user.InvokeAppAsync("tales", Inputs(), default))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<LlmOsApiException>(() => admin.GetAppAsync("tales", default))).Status);
    }

    [Fact]
    public async Task A_key_for_a_slug_opens_only_the_app_that_was_there_when_it_was_made()
    {
        using var http = server.Client();
        using var admin = new LlmOsClient(http);
        var early = await admin.CreateKeyAsync(new CreateKeyRequest { Name = "early", Scopes = ["app:later"] }, default);
        var mixed = await admin.CreateKeyAsync(new CreateKeyRequest { Name = "mixed", Scopes = ["read", "app:later"] }, default);
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "later" }, default);
        var late = await admin.CreateKeyAsync(new CreateKeyRequest { Name = "late", Scopes = ["app:later", "app:later-still"] }, default);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(early.Key));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(mixed.Key));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(late.Key));

        await admin.DeleteAppAsync("later", default);
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "later" }, default);

        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(late.Key));

        async Task<HttpStatusCode> StatusAsync(string key)
        {
            using var client = server.Client(key);
            using var answer = await client.PostAsJsonAsync("/api/v1/apps/later/invoke", new InvokeRequest { Inputs = Inputs() }, LlmOsJson.Options);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task An_app_whose_template_is_gone_is_listed_and_can_be_deleted()
    {
        using var admin = new LlmOsClient(server.Client());
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "orphan" }, default);
        await using (var db = new SqliteConnection($"Data Source={Path.Combine(server.Data, "llmos.db")}"))
        {
            await db.OpenAsync();
            await using var rename = db.CreateCommand();
            rename.CommandText = "update apps set template = 'gone' where slug = 'orphan'";
            Assert.Equal(1, await rename.ExecuteNonQueryAsync());
        }

        var listed = Assert.Single((await admin.ListAppsAsync(null, default)).Items, a => a.Slug == "orphan");
        var refusal = await Assert.ThrowsAsync<LlmOsApiException>(() => admin.InvokeAppAsync("orphan", Inputs(), default));
        await admin.DeleteAppAsync("orphan", default);

        Assert.Equal("gone", listed.Title);
        Assert.Equal(HttpStatusCode.Conflict, refusal.Status);
        Assert.Contains("'gone'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_streamed_answer_joins_to_the_whole_one()
    {
        using var http = server.Client();
        using var admin = new LlmOsClient(http);
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "streams", Settings = new AppSettings { Temperature = 0 } }, default);
        var whole = await admin.InvokeAppAsync("streams", Inputs(), default);

        using var response = await http.PostAsJsonAsync("/api/v1/apps/streams/invoke", new InvokeRequest { Inputs = Inputs(), Stream = true }, LlmOsJson.Options);

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        await using var body = await response.Content.ReadAsStreamAsync();
        var data = await SseParser.Create(body).EnumerateAsync().Select(item => item.Data).ToListAsync();
        Assert.Equal("[DONE]", data[^1]);
        var events = data.SkipLast(1).Select(d => JsonSerializer.Deserialize<InvokeEvent>(d, LlmOsJson.Options)!).ToList();
        Assert.Equal(whole.Output["story"], string.Concat(events.SkipLast(1).Select(e => e.Delta["story"])));
        Assert.True(events.Count > 3, "it came in pieces");
        Assert.Equal((whole.Model, whole.Usage), (events[^1].Model, events[^1].Usage));
    }

    [Fact]
    public async Task A_taken_slug_an_unknown_template_and_an_unknown_model_are_refused_by_field()
    {
        using var admin = new LlmOsClient(server.Client());
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "taken" }, default);

        var taken = await RefusalAsync(new AppRequest { Template = "story-writer", Slug = "taken" });
        var template = await RefusalAsync(new AppRequest { Template = "horoscope", Slug = "x1" });
        var model = await RefusalAsync(new AppRequest { Template = "story-writer", Slug = "x2", Model = "nope" });
        var slug = await RefusalAsync(new AppRequest { Template = "story-writer", Slug = "No Slug" });
        var setting = await RefusalAsync(new AppRequest { Template = "story-writer", Slug = "x3", Settings = new AppSettings { Temperature = 9 } });

        Assert.Equal((HttpStatusCode.Conflict, "slug"), taken);
        Assert.Equal((HttpStatusCode.BadRequest, "template"), template);
        Assert.Equal((HttpStatusCode.NotFound, "model"), model);
        Assert.Equal((HttpStatusCode.BadRequest, "slug"), slug);
        Assert.Equal((HttpStatusCode.BadRequest, "settings.temperature"), setting);

        async Task<(HttpStatusCode, string)> RefusalAsync(AppRequest request)
        {
            var refusal = await Assert.ThrowsAsync<LlmOsApiException>(() => admin.CreateAppAsync(request, default));
            return (refusal.Status, Assert.Single(refusal.Fields).Key);
        }
    }

    [Fact]
    public async Task The_page_is_open_and_closed_to_everything_foreign()
    {
        using var admin = new LlmOsClient(server.Client());
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "paged" }, default);
        using var nobody = server.Client(null);

        using var page = await nobody.GetAsync("/apps/paged");
        using var missing = await nobody.GetAsync("/apps/none");
        using var invoke = await nobody.PostAsJsonAsync("/api/v1/apps/paged/invoke", new InvokeRequest { Inputs = Inputs() }, LlmOsJson.Options);

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.StartsWith("default-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Contains("data-invoke=\"/api/v1/apps/paged/invoke\"", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, invoke.StatusCode);
    }

    [Fact]
    public async Task An_opening_longer_than_the_context_is_refused_with_both_numbers()
    {
        using var admin = new LlmOsClient(server.Client());
        await admin.CreateAppAsync(new AppRequest { Template = "story-writer", Slug = "long" }, default);
        // Characters that no merge knows: about one token for each of their bytes.
        var inputs = new Dictionary<string, JsonElement> { ["opening"] = JsonSerializer.SerializeToElement(string.Concat(Enumerable.Repeat("\u4e2d\u6587", 300))) };

        var refusal = await Assert.ThrowsAsync<LlmOsApiException>(() => admin.InvokeAppAsync("long", inputs, default));

        Assert.Equal("context_length_exceeded", refusal.Code);
        Assert.Matches(@"holds \d+ tokens.*has \d+", refusal.Message);
    }

    private static Dictionary<string, JsonElement> Inputs() => new()
    {
        ["opening"] = JsonSerializer.SerializeToElement("Once upon a time"),
        ["length"] = JsonSerializer.SerializeToElement(20),
    };
}
