using System.Net;
using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

public class CompletionTests(ModelServer server)
{
    private const string Path = "/v1/completions";
    private const string Greedy = ", there was a little girl named Lily. She loved to play outside in the park.";

    [Theory]
    [InlineData("play", ", there was a little girl named Lily. She loved to ")]
    [InlineData("ly. S", ", there was a little girl named Li")]
    [InlineData(" ", ",")]
    [InlineData(",", "")]
    [InlineData("park.", ", there was a little girl named Lily. She loved to play outside in the ")]
    public async Task A_stop_text_cuts_wherever_tokens_end(string stop, string expected)
    {
        using var client = await server.ReadyAsync();

        var choice = (await client.PostJsonAsync(Path, Story(40, new() { ["stop"] = new[] { "never", stop } }))).GetProperty("choices")[0];

        Assert.Equal(expected, choice.GetProperty("text").GetString());
        Assert.Equal("stop", choice.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_stop_text_that_never_comes_changes_nothing()
    {
        using var client = await server.ReadyAsync();

        var choice = (await client.PostJsonAsync(Path, Story(24, new() { ["stop"] = "girl named Lily. She hated" }))).GetProperty("choices")[0];

        Assert.StartsWith(choice.GetProperty("text").GetString()!, Greedy, StringComparison.Ordinal);
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says()
    {
        using var client = await server.ReadyAsync();

        foreach (var more in new Dictionary<string, object>[] { [], new() { ["stop"] = "park" }, new() { ["temperature"] = 1, ["seed"] = 7 }, new() { ["logprobs"] = 2 } })
        {
            var whole = (await client.PostJsonAsync(Path, Story(30, more))).GetProperty("choices")[0];
            var events = await client.StreamAsync(Path, Story(30, new(more) { ["stream"] = true }));

            Assert.Equal("[DONE]", events[^1]);
            var chunks = events.SkipLast(1).Select(Json.Parse).ToList();
            Assert.True(chunks.Count > 3);
            Assert.Single(chunks.Select(c => c.GetProperty("id").GetString()).Distinct());
            Assert.All(chunks, c => Assert.False(c.TryGetProperty("usage", out _)));
            var choices = chunks.Select(c => c.GetProperty("choices")[0]).ToList();
            Assert.Equal(whole.GetProperty("text").GetString(), string.Concat(choices.Select(c => c.GetProperty("text").GetString())));
            Assert.Equal(whole.GetProperty("finish_reason").GetString(), choices[^1].GetProperty("finish_reason").GetString());
            Assert.All(choices.SkipLast(1), c => Assert.Equal(JsonValueKind.Null, c.GetProperty("finish_reason").ValueKind));
            if (more.ContainsKey("logprobs"))
            {
                Assert.Equal(
                    whole.GetProperty("logprobs").GetProperty("tokens").EnumerateArray().Select(t => t.GetString()),
                    choices.SelectMany(c => c.GetProperty("logprobs").GetProperty("tokens").EnumerateArray()).Select(t => t.GetString()));
            }
        }
    }

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("-9223372036854775809")]
    [InlineData("1e30")]
    public async Task A_seed_beyond_64_bits_is_named_as_out_of_range(string seed)
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(Path, $$"""{"model":"{{ModelServer.Stories}}","prompt":"x","seed":{{seed}}}""");

        Assert.Equal("seed", error.GetProperty("param").GetString());
        Assert.Contains("between -9223372036854775808 and 9223372036854775807", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_seed_repeats_a_draw_alone_and_beside_others()
    {
        using var client = await server.ReadyAsync();
        var body = Story(20, new() { ["temperature"] = 1.2, ["seed"] = 11 });

        var alone = Text(await client.PostJsonAsync(Path, body));
        var beside = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => client.PostJsonAsync(Path, i == 3 ? body : Story(20, new() { ["temperature"] = 1.2, ["seed"] = 100 + i }))));

        Assert.Equal(alone, Text(beside[3]));
        Assert.True(beside.Select(Text).Distinct().Count() > 4);
    }

    [Fact]
    public async Task Several_choices_differ_and_the_first_is_the_one_asked_for_alone()
    {
        using var client = await server.ReadyAsync();

        var one = await client.PostJsonAsync(Path, Story(12, new() { ["temperature"] = 1.2, ["seed"] = 5 }));
        var three = await client.PostJsonAsync(Path, Story(12, new() { ["temperature"] = 1.2, ["seed"] = 5, ["n"] = 3 }));

        var texts = three.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("text").GetString()).ToList();
        Assert.Equal(Text(one), texts[0]);
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(one.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), three.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(36, three.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task The_best_of_many_is_likelier_than_any_other()
    {
        using var client = await server.ReadyAsync();

        var all = await client.PostJsonAsync(Path, Story(8, new() { ["temperature"] = 1.5, ["seed"] = 3, ["n"] = 6, ["logprobs"] = 0 }));
        var best = await client.PostJsonAsync(Path, Story(8, new() { ["temperature"] = 1.5, ["seed"] = 3, ["best_of"] = 6 }));

        var likeliest = all.GetProperty("choices").EnumerateArray()
            .MaxBy(c => c.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Average(l => l.GetDouble()));
        Assert.Equal(likeliest.GetProperty("text").GetString(), Text(best));
        Assert.Equal(JsonValueKind.Null, best.GetProperty("choices")[0].GetProperty("logprobs").ValueKind);
    }

    [Fact]
    public async Task An_echo_without_new_tokens_scores_the_prompt()
    {
        using var client = await server.ReadyAsync();

        var prompt = await client.PostJsonAsync(Path, new { model = ModelServer.Stories, prompt = "Once upon a time" + Greedy, max_tokens = 0, echo = true, logprobs = 1 });
        var made = await client.PostJsonAsync(Path, Story(24, new() { ["logprobs"] = 1, ["stop"] = "park" }));

        var scores = prompt.GetProperty("choices")[0].GetProperty("logprobs");
        Assert.Equal("Once upon a time" + Greedy, Text(prompt));
        Assert.Equal(JsonValueKind.Null, scores.GetProperty("token_logprobs")[0].ValueKind);
        var written = made.GetProperty("choices")[0].GetProperty("logprobs");
        var offset = scores.GetProperty("tokens").EnumerateArray().Select(t => t.GetString()).ToList().IndexOf(",");
        for (var at = 0; at < 20; at++)
        {
            Assert.Equal(written.GetProperty("tokens")[at].GetString(), scores.GetProperty("tokens")[offset + at].GetString());
            Assert.Equal(written.GetProperty("token_logprobs")[at].GetDouble(), scores.GetProperty("token_logprobs")[offset + at].GetDouble(), 3);
        }
    }

    [Fact]
    public async Task Text_offsets_say_where_each_token_begins()
    {
        using var client = await server.ReadyAsync();

        var choice = (await client.PostJsonAsync(Path, Story(12, new() { ["logprobs"] = 0, ["echo"] = true }))).GetProperty("choices")[0];

        var text = choice.GetProperty("text").GetString()!;
        var (tokens, offsets) = (choice.GetProperty("logprobs").GetProperty("tokens"), choice.GetProperty("logprobs").GetProperty("text_offset"));
        for (var at = tokens.GetArrayLength() - 12; at < tokens.GetArrayLength(); at++)
        {
            Assert.StartsWith(tokens[at].GetString()!, text[offsets[at].GetInt32()..], StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Logprobs_are_the_models_own_whatever_the_temperature()
    {
        using var client = await server.ReadyAsync();

        var cold = await client.PostJsonAsync(Path, Story(1, new() { ["logprobs"] = 5 }));
        var hot = await client.PostJsonAsync(Path, Story(1, new() { ["logprobs"] = 5, ["temperature"] = 2, ["seed"] = 1, ["presence_penalty"] = 1 }));

        Assert.Equal(Top(cold), Top(hot));

        static string Top(JsonElement reply) => reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("top_logprobs")[0].GetRawText();
    }

    [Fact]
    public async Task A_bias_bans_and_forces()
    {
        using var client = await server.ReadyAsync();
        var first = (await client.PostJsonAsync(Path, Story(1, new() { ["return_token_ids"] = true }))).GetProperty("choices")[0].GetProperty("token_ids")[0].GetInt32();

        var banned = await client.PostJsonAsync(Path, Story(1, new() { ["return_token_ids"] = true, ["logit_bias"] = new Dictionary<string, int> { [$"{first}"] = -100 } }));
        var forced = await client.PostJsonAsync(Path, Story(3, new() { ["return_token_ids"] = true, ["logit_bias"] = new Dictionary<string, int> { ["370"] = 100 } }));

        Assert.NotEqual(first, banned.GetProperty("choices")[0].GetProperty("token_ids")[0].GetInt32());
        Assert.Equal([370, 370, 370], forced.GetProperty("choices")[0].GetProperty("token_ids").Ids());
    }

    [Fact]
    public async Task More_tokens_than_there_is_room_for_are_cut_to_it()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync(Path, new { model = ModelServer.Gqa, prompt = Enumerable.Repeat(352, 120), max_tokens = 1_000_000, min_tokens = 100, temperature = 0 });

        Assert.Equal("length", reply.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(128, reply.GetProperty("usage").GetProperty("total_tokens").GetInt32());
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_is_refused_with_both_numbers()
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(Path, JsonSerializer.Serialize(new { model = ModelServer.Gqa, prompt = Enumerable.Repeat(352, 200) }));

        Assert.Equal("context_length_exceeded", error.GetProperty("code").GetString());
        Assert.Contains("128", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("200", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Special_tokens_in_a_prompt_are_text_unless_they_come_as_ids()
    {
        using var client = await server.ReadyAsync();

        var spelt = await client.PostJsonAsync(Path, new { model = ModelServer.Rope, prompt = "<|eot_id|>", max_tokens = 1, return_token_ids = true });
        var encoded = await client.PostJsonAsync("/api/v1/tokenizers/tiny%2Fllama-rope3/encode", new { texts = new[] { "<|eot_id|>" }, add_special_tokens = false });

        var eot = Assert.Single(encoded.GetProperty("ids")[0].Ids());
        Assert.DoesNotContain(eot, spelt.GetProperty("choices")[0].GetProperty("prompt_token_ids").Ids());
    }

    [Fact]
    public async Task The_answer_tells_its_version_its_time_and_what_had_no_effect()
    {
        using var client = await server.ReadyAsync();

        using var answer = await client.PostAsync(Path, Json.Body(Story(1, new() { ["some_future_field"] = 1, ["another\r\none"] = 2, ["user"] = null! })));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("stories260k:1", Assert.Single(answer.Headers.GetValues("x-llmos-model-version")));
        Assert.True(long.TryParse(Assert.Single(answer.Headers.GetValues("openai-processing-ms")), out _));
        Assert.Equal("no effect: some_future_field, another??one", Assert.Single(answer.Headers.GetValues("X-LlmOs-Warning")));
        var usage = Json.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("usage").GetProperty("llmos");
        Assert.Equal(["queue_ms", "prompt_ms", "decode_ms", "load_ms", "cached_tokens", "truncated_tokens"], usage.EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task A_wrong_number_is_told_after_an_unknown_model()
    {
        using var client = await server.ReadyAsync();

        var shape = await client.RefusedAsync(Path, """{"model":"no-such-model","temperature":99}""");
        var model = await client.RefusedAsync(Path, """{"model":"no-such-model","prompt":"x","temperature":99}""", HttpStatusCode.NotFound);
        var number = await client.RefusedAsync(Path, """{"model":"stories260k","prompt":"x","temperature":99}""");

        Assert.Equal("prompt", shape.GetProperty("param").GetString());
        Assert.Equal("model_not_found", model.GetProperty("code").GetString());
        Assert.Equal("temperature", number.GetProperty("param").GetString());
    }

    /// <summary>Evaluation harnesses read the entries by the ids; a last one without its own would be lost.</summary>
    [Fact]
    public async Task There_is_an_entry_of_logprobs_for_each_id_the_end_tokens_too()
    {
        using var client = await server.ReadyAsync();
        var body = Story(5, new() { ["logit_bias"] = new Dictionary<string, int> { ["2"] = 100 }, ["min_tokens"] = 2, ["logprobs"] = 1, ["return_token_ids"] = true });

        var choice = (await client.PostJsonAsync(Path, body)).GetProperty("choices")[0];
        var streamed = (await client.StreamAsync(Path, new Dictionary<string, object>(body) { ["stream"] = true })).SkipLast(1).Select(e => Json.Parse(e).GetProperty("choices")[0]).ToList();

        var (ids, entries) = (choice.GetProperty("token_ids").Ids(), choice.GetProperty("logprobs"));
        Assert.Equal((3, 2, "stop"), (ids.Length, ids[^1], choice.GetProperty("finish_reason").GetString()));
        Assert.Equal(3, entries.GetProperty("tokens").GetArrayLength());
        Assert.Equal(3, entries.GetProperty("token_logprobs").GetArrayLength());
        Assert.Equal(3, entries.GetProperty("top_logprobs").GetArrayLength());
        Assert.InRange(entries.GetProperty("token_logprobs")[2].GetDouble(), double.MinValue, -1); // the model's own, before the bias that chose it
        Assert.Equal(choice.GetProperty("text").GetString()!.Length, entries.GetProperty("text_offset")[2].GetInt32());
        Assert.Equal(
            entries.GetProperty("token_logprobs").EnumerateArray().Select(l => l.GetDouble()),
            streamed.SelectMany(c => c.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray()).Select(l => l.GetDouble()));
        Assert.Equal(ids, streamed.Where(c => c.TryGetProperty("token_ids", out _)).SelectMany(c => c.GetProperty("token_ids").Ids()));
    }

    [Theory]
    [InlineData("/models/stories260k/v1/completions")]
    [InlineData("/models/tiny%2Fllama-rope3/v1/completions")]
    [InlineData("/models/tiny/llama-rope3/v1/completions")]
    public async Task A_models_own_route_needs_no_model_in_the_body(string path)
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync(path, new { prompt = "Hi", max_tokens = 1 });

        Assert.Equal(Uri.UnescapeDataString(path)["/models/".Length..^"/v1/completions".Length], reply.GetProperty("model").GetString());
    }

    private static Dictionary<string, object> Story(int maxTokens, Dictionary<string, object> more)
    {
        var body = new Dictionary<string, object> { ["model"] = ModelServer.Stories, ["prompt"] = "Once upon a time", ["max_tokens"] = maxTokens, ["temperature"] = 0 };
        foreach (var (name, value) in more)
        {
            body[name] = value;
        }

        return body;
    }

    private static string Text(JsonElement reply) => reply.GetProperty("choices")[0].GetProperty("text").GetString()!;
}
