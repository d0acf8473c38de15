using System.Net;
using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>A request that is not answered in its time ends with a named error, and leaves the model to others.</summary>
public sealed class TimeoutTests(FewSlotsServer server) : IClassFixture<FewSlotsServer>
{
    private const string Completions = "/v1/completions";
    private const string Model = FewSlotsServer.Stories;

    /// <summary>More tokens than any machine makes in a second.</summary>
    private static readonly string[] Many = [.. Enumerable.Repeat("Once upon a time", 2048)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_whole_reply_that_takes_longer_is_a_504_and_its_slots_are_free()
    {
        using var client = await server.CallerAsync();

        using var answer = await client.PostAsync(Completions, Json.Body(new { model = Model, prompt = Many, n = 64, max_tokens = 400, min_tokens = 400, timeout = 1.0 }), Cancel);
        var error = Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("error");

        Assert.Equal((HttpStatusCode.GatewayTimeout, "timeout"), (answer.StatusCode, error.GetProperty("code").GetString()));
        Assert.Contains("1 s", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        await UntilIdleAsync();
    }

    [Fact]
    public async Task A_stream_that_takes_longer_ends_with_the_error_as_its_last_event()
    {
        using var client = await server.CallerAsync();

        using var answer = await client.PostAsync(Completions, Json.Body(new { model = Model, prompt = Many, n = 64, max_tokens = 400, min_tokens = 400, timeout = 1.0, stream = true }), Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var last = text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Last(part => part.Contains("data: {", StringComparison.Ordinal));
        Assert.Contains("\"code\":\"timeout\"", last, StringComparison.Ordinal);
        await UntilIdleAsync();
    }

    [Fact]
    public async Task One_that_is_answered_in_time_and_one_that_states_nothing_are_as_ever()
    {
        using var client = await server.CallerAsync();
        var body = new { model = Model, prompt = "Once upon a time", max_tokens = 8, temperature = 0 };

        var plain = await client.PostJsonAsync(Completions, body);
        var timed = await client.PostJsonAsync(Completions, new { body.model, body.prompt, body.max_tokens, body.temperature, timeout = 600 });

        Assert.Equal(TextOf(plain), TextOf(timed));
        var error = await client.RefusedAsync(Completions, JsonSerializer.Serialize(new { model = Model, prompt = "x", timeout = 0 }));
        Assert.Equal("timeout", error.GetProperty("param").GetString());

        static string? TextOf(JsonElement reply) => reply.GetProperty("choices")[0].GetProperty("text").GetString();
    }

    [Fact]
    public async Task What_the_server_allows_holds_where_a_request_does_not_say()
    {
        await using var strict = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["Serving__TimeoutSeconds"] = "1" } });
        using var client = strict.Client();

        using var late = await client.PostAsync(Completions, Json.Body(new { model = "starter", prompt = Many, n = 64, max_tokens = 400, min_tokens = 400 }), Cancel);

        Assert.Equal(HttpStatusCode.GatewayTimeout, late.StatusCode);
    }

    private async Task UntilIdleAsync()
    {
        using var client = await server.ReadyAsync();
        for (var i = 0; ; i++)
        {
            using var answer = await client.GetAsync("/api/v1/running", Cancel);
            var busy = Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("items").EnumerateArray().Sum(model => model.GetProperty("streams").GetInt32());
            if (busy == 0)
            {
                return;
            }

            Assert.True(i < 600, $"{busy} requests still hold a model");
            await Task.Delay(100, Cancel);
        }
    }
}
