using System.Net;
using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>No request stops a model, starves another, or shows what another asked. Each was seen before it was mended.</summary>
public sealed class FairnessTests(FewSlotsServer server) : IClassFixture<FewSlotsServer>
{
    private const string Completions = "/v1/completions";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Echoes_with_many_unread_replies_leave_the_model_to_others()
    {
        using var client = await server.CallerAsync();
        using var other = await server.CallerAsync();
        var unread = new List<HttpResponseMessage>();
        for (var i = 0; i < 4; i++)
        {
            // Read to the headers alone: the replies wait for their reader from the first few tokens on.
            using var request = new HttpRequestMessage(HttpMethod.Post, Completions)
            {
                Content = Json.Body(new { model = FewSlotsServer.Stories, prompt = "Once upon a time", stream = true, echo = true, logprobs = 1, n = 16, max_tokens = 440, min_tokens = 440 }),
            };
            unread.Add(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel));
        }

        var one = await other.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "There was", max_tokens = 1, echo = true, logprobs = 1 });

        Assert.Equal(1, one.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        var events = await EventsAsync(unread[0]);
        Assert.Equal(16, events.Count(e => e.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind == JsonValueKind.String));
        unread.ForEach(answer => answer.Dispose());
    }

    [Fact]
    public async Task An_echo_of_several_replies_has_the_scores_of_one_and_counts_its_prompt_once()
    {
        using var client = await server.CallerAsync();
        object Body(int n) => new { model = FewSlotsServer.Stories, prompt = new[] { "Once upon a time", "There was" }, echo = true, logprobs = 2, n, max_tokens = 3, seed = 5 };

        var one = await client.PostJsonAsync(Completions, Body(1));
        var three = await client.PostJsonAsync(Completions, Body(3));

        Assert.Equal(6, three.GetProperty("choices").GetArrayLength());
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(Scores(one, i / 3), Scores(three, i));
        }

        Assert.Equal(one.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), three.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());

        static string Scores(JsonElement reply, int choice)
        {
            var logprobs = reply.GetProperty("choices")[choice].GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().ToList();
            return string.Join(' ', logprobs.SkipLast(3));
        }
    }

    [Fact]
    public async Task More_scores_than_a_request_may_hold_are_refused_with_both_numbers()
    {
        using var client = await server.CallerAsync();
        var prompts = Enumerable.Repeat(Enumerable.Range(0, 400).Select(i => i % 100 + 3).ToArray(), 40).ToArray();

        var error = await client.RefusedAsync(Completions, JsonSerializer.Serialize(new { model = FewSlotsServer.Stories, prompt = prompts, echo = true, logprobs = 20, max_tokens = 0 }));

        Assert.Equal(("invalid_request", "echo"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains("336000", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("262144", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_does_not_learn_what_another_asked()
    {
        using var a = await server.CallerAsync();
        using var b = await server.CallerAsync();
        var body = new { model = FewSlotsServer.Stories, prompt = Enumerable.Range(0, 200).Select(i => (i * 7 % 400) + 3).ToArray(), max_tokens = 1 };

        Assert.Equal(0, await CachedAsync(a));
        Assert.Equal(0, await CachedAsync(b));

        // The other's prompt, or what is left of another test's requests, may have taken the place of the first one; in time it is found.
        var own = 0;
        for (var i = 0; i < 50 && own < 128; i++)
        {
            own = await CachedAsync(a);
        }

        Assert.InRange(own, 128, 200);

        async Task<int> CachedAsync(HttpClient client) =>
            (await client.PostJsonAsync(Completions, body)).GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
    }

    [Fact]
    public async Task A_key_with_thousands_of_replies_leaves_a_slot_to_another_at_once()
    {
        using var flood = await server.CallerAsync();
        using var other = await server.CallerAsync();
        using var leaving = new CancellationTokenSource();
        var many = flood.PostAsync(
            Completions,
            Json.Body(new { model = FewSlotsServer.Stories, prompt = Enumerable.Repeat("Once upon a time", 2048), n = 128, max_tokens = 400, min_tokens = 400 }),
            leaving.Token);

        var one = await other.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "There was", max_tokens = 5 });

        Assert.Equal(5, one.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.False(many.IsCompleted);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => many);
    }

    [Fact]
    public async Task Six_hundred_inputs_of_a_pipeline_are_answered_by_an_idle_server()
    {
        using var client = await server.CallerAsync();

        var answers = await client.PostJsonAsync(
            "/pipeline/translation",
            new { model = FewSlotsServer.Translator, inputs = Enumerable.Range(0, 600).Select(i => $"House {i}."), parameters = new { max_new_tokens = 2 } });

        Assert.Equal(600, answers.GetArrayLength());
    }

    [Fact]
    public async Task A_request_with_many_prompts_is_whole_where_others_fill_the_queue()
    {
        using var client = await server.CallerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, Completions)
        {
            Content = Json.Body(new { model = FewSlotsServer.Stories, prompt = Enumerable.Repeat("Once", 200), max_tokens = 8, min_tokens = 8, stream = true }),
        };

        // Its headers say that it was admitted. Only then may the others fill the queue.
        using var many = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        Assert.Equal(HttpStatusCode.OK, many.StatusCode);
        var others = Enumerable.Range(0, 80).Select(_ => client.PostAsync(Completions, Json.Body(new { model = FewSlotsServer.Stories, prompt = "There", max_tokens = 20, min_tokens = 20 }), Cancel)).ToList();

        var ended = (await EventsAsync(many)).Select(e => e.GetProperty("choices")[0]).Where(c => c.GetProperty("finish_reason").ValueKind == JsonValueKind.String).ToList();
        Assert.Equal(Enumerable.Range(0, 200), ended.Select(c => c.GetProperty("index").GetInt32()).Order());
        Assert.All(ended, c => Assert.Equal("length", c.GetProperty("finish_reason").GetString()));
        foreach (var answer in await Task.WhenAll(others))
        {
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.TooManyRequests });
            Assert.True(answer.IsSuccessStatusCode || answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task A_search_of_as_many_beams_as_slots_lets_one_token_pass()
    {
        using var client = await server.CallerAsync();
        using var leaving = new CancellationTokenSource();
        var reply = client.PostAsync(Completions, Json.Body(new { model = FewSlotsServer.Stories, prompt = "Once", max_tokens = 400, min_tokens = 400, n = 3 }), Cancel);
        var beams = client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "Once", max_tokens = 400, min_tokens = 400, num_beams = 4 });

        await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "There", max_tokens = 1 });

        Assert.False(beams.IsCompleted);
        await Task.WhenAll(reply, beams);
    }

    [Fact]
    public async Task A_temperature_next_to_nothing_is_greedy()
    {
        using var client = await server.CallerAsync();
        object Body(double temperature) => new { model = FewSlotsServer.Stories, prompt = "Once upon a time", max_tokens = 12, temperature };

        var greedy = Text(await client.PostJsonAsync(Completions, Body(0)));

        Assert.Equal(greedy, Text(await client.PostJsonAsync(Completions, Body(1e-38))));
        Assert.Equal(greedy, Text(await client.PostJsonAsync(Completions, Body(1e-60))));
    }

    [Fact]
    public async Task Where_every_token_is_banned_the_request_is_refused()
    {
        using var client = await server.CallerAsync();
        var all = Enumerable.Range(0, 512).Select(id => new[] { id }).ToArray();

        var error = await client.RefusedAsync(Completions, JsonSerializer.Serialize(new { model = FewSlotsServer.Stories, prompt = "Once", max_tokens = 4, min_tokens = 4, bad_words_ids = all }));

        Assert.Equal("invalid_request", error.GetProperty("code").GetString());
        Assert.Contains("ban every token", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static string? Text(JsonElement reply) => reply.GetProperty("choices")[0].GetProperty("text").GetString();

    private static async Task<List<JsonElement>> EventsAsync(HttpResponseMessage answer) =>
        [.. (await answer.Content.ReadAsStringAsync(Cancel)).Split('\n')
            .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => Json.Parse(line["data: ".Length..]))];
}
