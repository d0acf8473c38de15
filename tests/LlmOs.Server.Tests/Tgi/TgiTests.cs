using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Tgi;

/// <summary>
/// Requests and answers as text-generation-inference documents them (its openapi.json of version 3.3) and as its own
/// integration tests recorded them. Texts and numbers are compared with those of <c>/v1/completions</c>.
/// </summary>
public class TgiTests(ServerProcess server)
{
    private const string Prompt = "Once upon a time";

    [Fact]
    public async Task A_text_is_continued_greedily_where_nothing_asks_for_sampling()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 12 } });

        Assert.Equal(["generated_text"], Names(reply));
        Assert.Equal(await GreedyAsync(client, 12), reply.GetProperty("generated_text").GetString());
    }

    [Fact]
    public async Task Details_have_the_fields_of_the_recorded_answers()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 5, do_sample = true, seed = 0, temperature = 0.5, details = true } });
        var details = reply.GetProperty("details");

        Assert.Equal(["finish_reason", "generated_tokens", "prefill", "seed", "tokens"], Names(details));
        Assert.Equal(("length", 5, 0L), (details.GetProperty("finish_reason").GetString(), details.GetProperty("generated_tokens").GetInt32(), details.GetProperty("seed").GetInt64()));
        Assert.Empty(details.GetProperty("prefill").EnumerateArray());
        var tokens = details.GetProperty("tokens").EnumerateArray().ToList();
        Assert.Equal(5, tokens.Count);
        Assert.All(tokens, token =>
        {
            Assert.Equal(["id", "logprob", "special", "text"], Names(token));
            Assert.True(token.GetProperty("logprob").GetSingle() <= 0);
        });
        Assert.Equal(reply.GetProperty("generated_text").GetString(), string.Concat(tokens.Select(t => t.GetProperty("text").GetString())));
    }

    [Fact]
    public async Task A_stream_has_a_line_for_each_token_and_the_whole_text_on_the_last()
    {
        using var client = server.Client();

        using var answer = await client.PostAsync("/generate_stream", Json.Body(new { inputs = Prompt, parameters = new { max_new_tokens = 8, details = true } }));
        var body = await answer.Content.ReadAsStringAsync();

        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        Assert.EndsWith("}\n\n", body, StringComparison.Ordinal);
        var events = body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(events, line => Assert.StartsWith("data:{\"index\":", line, StringComparison.Ordinal));
        var items = events.Select(line => Json.Parse(line["data:".Length..])).ToList();
        Assert.All(items, item => Assert.Equal(["details", "generated_text", "index", "token"], Names(item)));
        Assert.All(items, item => Assert.Equal(["id", "logprob", "special", "text"], Names(item.GetProperty("token"))));
        Assert.Equal(Enumerable.Range(1, 8), items.Select(item => item.GetProperty("index").GetInt32()));
        Assert.All(items.SkipLast(1), item => Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (item.GetProperty("generated_text").ValueKind, item.GetProperty("details").ValueKind)));
        var whole = items[^1].GetProperty("generated_text").GetString();
        Assert.Equal(await GreedyAsync(client, 8), whole);
        Assert.Equal(whole, string.Concat(items.Where(i => !i.GetProperty("token").GetProperty("special").GetBoolean()).Select(i => i.GetProperty("token").GetProperty("text").GetString())));
        var details = items[^1].GetProperty("details");
        Assert.Equal(["finish_reason", "generated_tokens", "input_length", "seed"], Names(details));
        Assert.Equal(8, details.GetProperty("generated_tokens").GetInt32());
        Assert.Equal(JsonValueKind.Null, details.GetProperty("seed").ValueKind); // greedy: nothing was drawn
        Assert.Equal((await PromptIdsAsync(client)).Length, details.GetProperty("input_length").GetInt32());
    }

    [Fact]
    public async Task The_input_s_tokens_come_with_their_log_probabilities()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 1, decoder_input_details = true } });
        var prefill = reply.GetProperty("details").GetProperty("prefill").EnumerateArray().ToList();

        Assert.All(prefill, token => Assert.Equal(["id", "logprob", "text"], Names(token)));
        Assert.Equal(await PromptIdsAsync(client), prefill.Select(token => token.GetProperty("id").GetInt32()));
        Assert.Equal(JsonValueKind.Null, prefill[0].GetProperty("logprob").ValueKind);
        var scored = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = Prompt, max_tokens = 0, echo = true, logprobs = 0 });
        var expected = scored.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Skip(1).Select(l => l.GetSingle());
        Assert.Equal(expected, prefill.Skip(1).Select(token => token.GetProperty("logprob").GetSingle()), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public async Task The_likeliest_tokens_of_each_place_are_shown_best_first()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 4, details = true, top_n_tokens = 3 } });
        var details = reply.GetProperty("details");
        var tops = details.GetProperty("top_tokens").EnumerateArray().ToList();

        Assert.Equal(4, tops.Count);
        foreach (var (top, token) in tops.Zip(details.GetProperty("tokens").EnumerateArray()))
        {
            var logprobs = top.EnumerateArray().Select(t => t.GetProperty("logprob").GetSingle()).ToList();
            Assert.Equal(3, logprobs.Count);
            Assert.Equal(logprobs.OrderDescending(), logprobs);
            Assert.Equal(token.GetProperty("id").GetInt32(), top[0].GetProperty("id").GetInt32()); // greedy takes the first
        }
    }

    [Fact]
    public async Task The_full_text_begins_with_the_input_and_the_stop_text_stays()
    {
        using var client = server.Client();
        var greedy = await GreedyAsync(client, 40);
        var stop = greedy[8..12];

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 40, return_full_text = true, stop = new[] { stop }, details = true } });
        var text = reply.GetProperty("generated_text").GetString()!;

        Assert.StartsWith(Prompt + greedy[..8], text, StringComparison.Ordinal);
        Assert.Contains(stop, text[Prompt.Length..], StringComparison.Ordinal);
        Assert.True(text.Length < Prompt.Length + greedy.Length);
        Assert.Equal("stop_sequence", reply.GetProperty("details").GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task A_seed_that_was_drawn_is_reported_and_makes_the_same_text_again()
    {
        using var client = server.Client();
        var first = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 16, temperature = 1.3, details = true } });
        var seed = first.GetProperty("details").GetProperty("seed").GetInt64();

        var second = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 16, temperature = 1.3, seed } });

        Assert.Equal(first.GetProperty("generated_text").GetString(), second.GetProperty("generated_text").GetString());
    }

    [Fact]
    public async Task Of_several_texts_the_likeliest_is_given_and_the_others_stand_in_the_details()
    {
        using var client = server.Client();

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 8, do_sample = true, best_of = 3, details = true } });
        var details = reply.GetProperty("details");
        var others = details.GetProperty("best_of_sequences").EnumerateArray().ToList();

        Assert.Equal(2, others.Count);
        Assert.All(others, other => Assert.Equal(["finish_reason", "generated_text", "generated_tokens", "prefill", "seed", "tokens"], Names(other)));
        Assert.All(others, other => Assert.True(Mean(other) <= Mean(details)));

        static double Mean(JsonElement text) => text.GetProperty("tokens").EnumerateArray().Average(t => t.GetProperty("logprob").GetDouble());
    }

    [Fact]
    public async Task A_cut_input_keeps_its_end()
    {
        using var client = server.Client();
        var ids = await PromptIdsAsync(client);

        var reply = await client.PostJsonAsync("/generate", new { inputs = Prompt, parameters = new { max_new_tokens = 1, truncate = 2, decoder_input_details = true } });

        Assert.Equal(ids[^2..], reply.GetProperty("details").GetProperty("prefill").EnumerateArray().Select(t => t.GetProperty("id").GetInt32()));
    }

    [Theory]
    [InlineData("""{"inputs":""}""", "inputs")]
    [InlineData("""{}""", "inputs")]
    [InlineData("""{"inputs":7}""", "inputs")]
    [InlineData("""{"inputs":"a","parameters":{"max_new_tokens":0}}""", "max_new_tokens")]
    [InlineData("""{"inputs":"a","parameters":{"temperature":0}}""", "temperature")]
    [InlineData("""{"inputs":"a","parameters":{"top_k":0}}""", "top_k")]
    [InlineData("""{"inputs":"a","parameters":{"top_p":1.5}}""", "top_p")]
    [InlineData("""{"inputs":"a","parameters":{"typical_p":0}}""", "typical_p")]
    [InlineData("""{"inputs":"a","parameters":{"repetition_penalty":0}}""", "repetition_penalty")]
    [InlineData("""{"inputs":"a","parameters":{"frequency_penalty":-2.5}}""", "frequency_penalty")]
    [InlineData("""{"inputs":"a","parameters":{"do_sample":true,"seed":-1}}""", "seed")]
    [InlineData("""{"inputs":"a","parameters":{"stop":["a","b","c","d","e"]}}""", "stop")]
    [InlineData("""{"inputs":"a","parameters":{"truncate":0}}""", "truncate")]
    [InlineData("""{"inputs":"a","parameters":{"top_n_tokens":21}}""", "top_n_tokens")]
    [InlineData("""{"inputs":"a","parameters":{"best_of":2}}""", "best_of")]
    [InlineData("""{"inputs":"a","parameters":{"best_of":2,"do_sample":true,"seed":1}}""", "best_of")]
    [InlineData("""{"inputs":"a","parameters":{"watermark":true}}""", "watermark")]
    [InlineData("""{"inputs":"a","parameters":{"grammar":{"type":"regex","value":"a+"}}}""", "grammar")]
    [InlineData("""{"inputs":"a","parameters":{"adapter_id":7}}""", "adapter_id")]
    public async Task A_bad_argument_is_a_validation_error_that_names_it(string body, string field)
    {
        using var client = server.Client();

        var (status, error, type) = await RefusedAsync(client, "/generate", body);

        Assert.Equal((422, "validation"), (status, type));
        Assert.StartsWith("Input validation error: ", error, StringComparison.Ordinal);
        Assert.Contains(field, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"inputs":"a","parameters":{"best_of":2,"do_sample":true}}""", "best_of")]
    [InlineData("""{"inputs":"a","parameters":{"decoder_input_details":true}}""", "decoder_input_details")]
    public async Task What_a_stream_cannot_tell_is_refused_before_it_begins(string body, string field)
    {
        using var client = server.Client();

        var (status, error, type) = await RefusedAsync(client, "/generate_stream", body);

        Assert.Equal((422, "validation"), (status, type));
        Assert.Contains(field, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/generate", """{"inputs":"a","model":"nobody"}""", 404, "model_not_found")]
    [InlineData("GET", "/generate", null, 405, "method_not_allowed")]
    [InlineData("GET", "/Generate_Stream/nothing", null, 404, "not_found")]
    [InlineData("GET", "/info?model=nobody", null, 404, "model_not_found")]
    public async Task Other_refusals_have_the_shape_too(string method, string path, string? body, int expected, string word)
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : Json.Raw(body) };

        using var answer = await client.SendAsync(request);
        var error = Json.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal((expected, word), ((int)answer.StatusCode, error.GetProperty("error_type").GetString()));
        Assert.Equal(["error", "error_type"], Names(error));
    }

    [Fact]
    public async Task Who_has_no_key_is_told_so_in_the_shape()
    {
        using var client = server.Client(key: null);

        var (status, _, type) = await RefusedAsync(client, "/generate", """{"inputs":"a"}""");

        Assert.Equal((401, "invalid_api_key"), (status, type));
    }

    [Fact]
    public async Task What_has_no_effect_is_named_in_the_warning()
    {
        using var client = server.Client();

        using var answer = await client.PostAsync("/generate", Json.Raw("""{"inputs":"a","parameters":{"max_new_tokens":1,"odd":1},"stream":false}"""));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("no effect: stream, odd", answer.Headers.GetValues("X-LlmOs-Warning").Single());
    }

    [Fact]
    public async Task Info_tells_the_model_and_the_limits()
    {
        using var client = server.Client();

        var info = Json.Parse(await client.GetStringAsync("/info"));

        string[] documented =
        [
            "max_best_of", "max_client_batch_size", "max_concurrent_requests", "max_input_tokens", "max_stop_sequences", "max_total_tokens",
            "model_id", "router", "validation_workers", "version",
        ];
        Assert.Empty(documented.Except(Names(info)));
        Assert.StartsWith("starter:", info.GetProperty("model_id").GetString(), StringComparison.Ordinal);
        Assert.Matches("^[0-9a-f]{64}$", info.GetProperty("model_sha").GetString());
        Assert.Equal((511, 512), (info.GetProperty("max_input_tokens").GetInt32(), info.GetProperty("max_total_tokens").GetInt32()));
        Assert.Equal(4, info.GetProperty("max_stop_sequences").GetInt32());
    }

    private static async Task<string> GreedyAsync(HttpClient client, int tokens) =>
        (await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = Prompt, max_tokens = tokens, temperature = 0 })).GetProperty("choices")[0].GetProperty("text").GetString()!;

    private static async Task<int[]> PromptIdsAsync(HttpClient client) =>
        (await client.PostJsonAsync("/tokenize", new { model = "starter", prompt = Prompt })).GetProperty("tokens").Ids();

    private static async Task<(int Status, string Error, string Type)> RefusedAsync(HttpClient client, string path, string body)
    {
        using var answer = await client.PostAsync(path, Json.Raw(body));
        var error = Json.Parse(await answer.Content.ReadAsStringAsync());
        return ((int)answer.StatusCode, error.GetProperty("error").GetString()!, error.GetProperty("error_type").GetString()!);
    }

    private static IEnumerable<string> Names(JsonElement json) => json.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal);
}
