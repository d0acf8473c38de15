using System.Net;
using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

public class ChatTests(ModelServer server)
{
    private const string Path = "/v1/chat/completions";

    [Fact]
    public async Task A_reply_has_the_shape_that_clients_expect()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync(Path, Chat(8));

        Assert.StartsWith("chatcmpl-", reply.GetProperty("id").GetString(), StringComparison.Ordinal);
        Assert.Equal("chat.completion", reply.GetProperty("object").GetString());
        Assert.Equal(ModelServer.Stories, reply.GetProperty("model").GetString());
        var choice = Assert.Single(reply.GetProperty("choices").EnumerateArray());
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("message").GetProperty("refusal").ValueKind);
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        var usage = reply.GetProperty("usage");
        Assert.Equal(usage.GetProperty("total_tokens").GetInt32(), usage.GetProperty("prompt_tokens").GetInt32() + usage.GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task A_model_without_a_template_continues_the_messages()
    {
        using var client = await server.ReadyAsync();

        var chat = await client.PostJsonAsync(Path, Chat(12));
        var plain = await client.PostJsonAsync("/v1/completions", new { model = ModelServer.Stories, prompt = "Be brief.\n\nOnce upon a time", max_tokens = 12, temperature = 0 });

        Assert.Equal(plain.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), chat.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(plain.GetProperty("choices")[0].GetProperty("text").GetString()!.TrimStart(), Content(chat).TrimStart());
    }

    [Fact]
    public async Task A_stream_begins_with_the_role_and_ends_with_the_reason()
    {
        using var client = await server.ReadyAsync();
        var whole = Content(await client.PostJsonAsync(Path, Chat(16)));

        var events = await client.StreamAsync(Path, Chat(16, new() { ["stream"] = true }));

        Assert.Equal("[DONE]", events[^1]);
        var chunks = events.SkipLast(1).Select(Json.Parse).ToList();
        Assert.Single(chunks.Select(c => c.GetProperty("id").GetString()).Distinct());
        Assert.All(chunks, c => Assert.Equal("chat.completion.chunk", c.GetProperty("object").GetString()));
        Assert.All(chunks, c => Assert.False(c.TryGetProperty("usage", out _)));
        var choices = chunks.Select(c => c.GetProperty("choices")[0]).ToList();
        Assert.Equal("assistant", choices[0].GetProperty("delta").GetProperty("role").GetString());
        Assert.All(choices.Skip(1), c => Assert.False(c.GetProperty("delta").TryGetProperty("role", out _)));
        Assert.Equal(whole, string.Concat(choices.SkipLast(1).Select(c => c.GetProperty("delta").GetProperty("content").GetString())));
        Assert.Equal("length", choices[^1].GetProperty("finish_reason").GetString());
        Assert.Empty(choices[^1].GetProperty("delta").EnumerateObject());
    }

    [Fact]
    public async Task Usage_comes_once_and_last_and_only_when_asked_for()
    {
        using var client = await server.ReadyAsync();

        var events = await client.StreamAsync(Path, Chat(4, new() { ["stream"] = true, ["stream_options"] = new { include_usage = true } }));

        var chunks = events.SkipLast(1).Select(Json.Parse).ToList();
        Assert.All(chunks.SkipLast(1), c => Assert.Equal(JsonValueKind.Null, c.GetProperty("usage").ValueKind));
        Assert.Equal(0, chunks[^1].GetProperty("choices").GetArrayLength());
        Assert.Equal(4, chunks[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Several_choices_stream_side_by_side()
    {
        using var client = await server.ReadyAsync();
        var body = Chat(6, new() { ["n"] = 3, ["temperature"] = 1, ["seed"] = 4 });
        var whole = await client.PostJsonAsync(Path, body);

        var events = await client.StreamAsync(Path, new Dictionary<string, object>(body) { ["stream"] = true });

        var pieces = events.SkipLast(1).Select(e => Json.Parse(e).GetProperty("choices")[0]).ToLookup(c => c.GetProperty("index").GetInt32());
        for (var index = 0; index < 3; index++)
        {
            var text = string.Concat(pieces[index].Select(c => c.GetProperty("delta").TryGetProperty("content", out var content) ? content.GetString() : ""));
            Assert.Equal(whole.GetProperty("choices")[index].GetProperty("message").GetProperty("content").GetString(), text);
            Assert.Single(pieces[index], c => c.GetProperty("delta").TryGetProperty("role", out _));
            Assert.Single(pieces[index], c => c.GetProperty("finish_reason").ValueKind == JsonValueKind.String);
        }
    }

    [Fact]
    public async Task Logprobs_of_a_greedy_reply_are_those_of_the_likeliest_tokens()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync(Path, Chat(10, new() { ["logprobs"] = true, ["top_logprobs"] = 3 }));

        var entries = reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("content").EnumerateArray().ToList();
        Assert.Equal(10, entries.Count);
        Assert.All(entries, e =>
        {
            Assert.Equal(3, e.GetProperty("top_logprobs").GetArrayLength());
            Assert.Equal(e.GetProperty("logprob").GetDouble(), e.GetProperty("top_logprobs")[0].GetProperty("logprob").GetDouble());
        });
        var bytes = entries.SelectMany(e => e.GetProperty("bytes").Ids()).Select(b => (byte)b).ToArray();
        Assert.Equal(Content(reply), System.Text.Encoding.UTF8.GetString(bytes).TrimStart());
    }

    [Fact]
    public async Task The_end_token_has_its_entry_of_logprobs_too()
    {
        using var client = await server.ReadyAsync();
        var body = Chat(5, new() { ["logit_bias"] = new Dictionary<string, int> { ["2"] = 100 }, ["logprobs"] = true, ["return_token_ids"] = true });

        var choice = (await client.PostJsonAsync(Path, body)).GetProperty("choices")[0];

        Assert.Equal([2], choice.GetProperty("token_ids").Ids());
        Assert.Single(choice.GetProperty("logprobs").GetProperty("content").EnumerateArray());
        Assert.Equal("", choice.GetProperty("message").GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("""{"type":"xml"}""", "response_format")]
    [InlineData("""{"type":"json_object"}""", "response_format")]
    public async Task Response_formats_are_refused_by_name(string format, string field)
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(Path, $$"""{"model":"stories260k","messages":[{"role":"user","content":"x"}],"response_format":{{format}}}""");

        Assert.Equal(field, error.GetProperty("param").GetString());
    }

    [Theory]
    [InlineData("messages", "[]")]
    [InlineData("messages", "null")]
    [InlineData("messages", "\"hi\"")]
    [InlineData("messages[0].role", """[{"role":"alien","content":"x"}]""")]
    [InlineData("messages[0].role", """[{"content":"x"}]""")]
    [InlineData("messages[1].content", """[{"role":"user","content":"x"},{"role":"user"}]""")]
    [InlineData("messages[0]", "[123]")]
    [InlineData("messages[0].content", """[{"role":"user","content":123}]""")]
    public async Task Messages_that_are_none_are_refused_by_their_place(string field, string messages)
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(Path, $$"""{"model":"stories260k","messages":{{messages}}}""");

        Assert.Equal(field, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_tool_choice_that_needs_calls_is_refused_and_none_is_not()
    {
        using var client = await server.ReadyAsync();
        var tools = new[] { new { type = "function", function = new { name = "f" } } };

        using var none = await client.PostAsync(Path, Json.Body(Chat(2, new() { ["tools"] = tools, ["tool_choice"] = "none" })));
        var error = await client.RefusedAsync(Path, JsonSerializer.Serialize(Chat(2, new() { ["tools"] = tools, ["tool_choice"] = "required" })));

        Assert.Equal(HttpStatusCode.OK, none.StatusCode);
        Assert.Equal("no effect: tools", Assert.Single(none.Headers.GetValues("X-LlmOs-Warning")));
        Assert.Equal("tool_choice", error.GetProperty("param").GetString());
    }

    private static Dictionary<string, object> Chat(int maxTokens, Dictionary<string, object>? more = null)
    {
        var body = new Dictionary<string, object>
        {
            ["model"] = ModelServer.Stories,
            ["messages"] = new[] { new { role = "system", content = "Be brief." }, new { role = "user", content = "Once upon a time" } },
            ["max_tokens"] = maxTokens,
            ["temperature"] = 0,
        };
        foreach (var (name, value) in more ?? [])
        {
            body[name] = value;
        }

        return body;
    }

    private static string Content(JsonElement reply) => reply.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
}
