using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>
/// SmolLM2-135M-Instruct, imported over HTTP from its GGUF file, against what was recorded elsewhere with the same weights
/// widened to f32 (its reference.json says how).
/// </summary>
public sealed class GgufModelTests(GgufModelServer server) : IClassFixture<GgufModelServer>
{
    /// <summary>Logits here and there differ by less than half of this; where the best two tokens are nearer, either may come.</summary>
    private const double Noise = 0.002;

    /// <summary>Tokens of a reply, and of a prompt, that are compared: this is the largest model in the tests.</summary>
    private const int MaxReply = 24, MaxPrompt = 1000;

    [Fact]
    public async Task Greedy_ids_are_the_recorded_ones_up_to_the_first_gap_that_noise_could_close()
    {
        using var client = await server.ReadyAsync();
        using var reference = Reference();
        var prompts = reference.RootElement.GetProperty("prompts").EnumerateArray().Where(p => p.GetProperty("n_prompt").GetInt32() < MaxPrompt).ToList();

        var compared = 0;
        await Parallel.ForEachAsync(prompts, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (prompt, _) =>
        {
            var expected = prompt.GetProperty("greedy_ids").Ids();
            var sure = prompt.GetProperty("greedy_gaps").EnumerateArray().Take(MaxReply).TakeWhile(gap => gap.GetDouble() >= Noise).Count();
            var reply = await client.PostJsonAsync("/v1/completions", new
            {
                model = "smollm2",
                prompt = prompt.GetProperty("prompt_ids").Ids(),
                max_tokens = sure,
                temperature = 0,
                return_token_ids = true,
            });

            Assert.True(sure > 0);
            Assert.Equal(expected[..sure], reply.GetProperty("choices")[0].GetProperty("token_ids").Ids());
            Interlocked.Add(ref compared, sure);
        });

        Assert.True(prompts.Count == 19 && compared > 400, $"only {compared} tokens of {prompts.Count} prompts were compared");
    }

    /// <summary>OpenAI's clients send an assistant's calls back with a content of null.</summary>
    [Fact]
    public async Task A_conversation_with_a_null_content_is_answered()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync("/v1/chat/completions", Recorded("05-content-null.json"));

        Assert.Equal(3, reply.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task The_smallest_temperature_takes_the_likeliest_tokens()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync("/v1/completions", Recorded("15-temperature.json"));

        Assert.Equal(", the city of", reply.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    /// <summary>The parts of an emoji begin where it does, and it counts as one character.</summary>
    [Fact]
    public async Task Offsets_of_an_echo_count_characters()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync("/v1/completions", Recorded("10-text-offset.json"));

        Assert.Equal([0, 0, 0, 1, 4, 10, 11, 13], reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("text_offset").Ids());
    }

    [Fact]
    public async Task Its_conversations_have_the_recorded_prompt_ids_and_replies()
    {
        using var client = await server.ReadyAsync();
        using var reference = Reference();
        var chats = reference.RootElement.GetProperty("prompts").EnumerateArray().Where(p => p.TryGetProperty("messages", out var m) && m.ValueKind == JsonValueKind.Array).ToList();
        Assert.Equal(10, chats.Count);

        foreach (var chat in chats)
        {
            var sure = chat.GetProperty("greedy_gaps").EnumerateArray().Take(6).TakeWhile(gap => gap.GetDouble() >= Noise).Count();
            var reply = await client.PostJsonAsync("/v1/chat/completions", new
            {
                model = "smollm2",
                messages = chat.GetProperty("messages"),
                max_tokens = Math.Max(sure, 1),
                temperature = 0,
                return_token_ids = true,
            });

            var choice = reply.GetProperty("choices")[0];
            Assert.Equal(chat.GetProperty("prompt_ids").Ids(), choice.GetProperty("prompt_token_ids").Ids());
            Assert.Equal(chat.GetProperty("greedy_ids").Ids()[..sure], choice.GetProperty("token_ids").Ids()[..sure]);
        }
    }

    [Fact]
    public async Task The_version_says_what_it_came_from()
    {
        using var client = await server.ReadyAsync();

        var version = await client.GetFromJsonAsync<JsonElement>("/api/v1/models/smollm2/versions/1");

        Assert.Equal("LlamaForCausalLM", version.GetProperty("architecture").GetString());
        Assert.Equal((134515008, 8192, 49152), (version.GetProperty("parameters").GetInt64(), version.GetProperty("context_length").GetInt32(), version.GetProperty("vocabulary").GetInt32()));
        Assert.Equal(("f32", "apache-2.0"), (version.GetProperty("precision").GetString(), version.GetProperty("license").GetString()));
    }

    [Fact]
    public async Task Its_tokenizer_and_template_are_those_of_the_file()
    {
        using var client = await server.ReadyAsync();
        using var reference = Reference();
        var rows = reference.RootElement.GetProperty("tokenizer").GetProperty("rows").EnumerateArray()
            .Where(row => row.GetProperty("text").GetString()!.AsSpan().IndexOfAny("<\0") < 0).ToList(); // text from users holds no special tokens

        var answer = await client.PostJsonAsync("/api/v1/tokenizers/smollm2/encode", new { texts = rows.Select(r => r.GetProperty("text").GetString()), add_special_tokens = true });

        Assert.Equal(rows.Select(r => r.GetProperty("ids").Ids()), answer.GetProperty("ids").EnumerateArray().Select(ids => ids.Ids()));
        Assert.True(rows.Count > 90);
    }

    [Fact]
    public async Task What_it_takes_in_memory_is_told_before_and_after_the_import()
    {
        using var client = await server.ReadyAsync();
        var source = SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

        var before = await client.PostJsonAsync("/api/v1/models/estimate", new { source = $"file:{source}", context = 1000, slots = 2 });
        var after = await client.PostJsonAsync("/api/v1/models/smollm2/versions/1/estimate", new { context = 1000, slots = 2 });

        Assert.Equal(before.GetRawText(), after.GetRawText());
        Assert.Equal(["f32", "f16", "int8", "int4"], before.GetProperty("precisions").EnumerateArray().Select(p => p.GetProperty("precision").GetString()!));
        Assert.All(before.GetProperty("precisions").EnumerateArray(), p => Assert.Equal(
            p.GetProperty("need").GetInt64() <= before.GetProperty("have").GetInt64(), p.GetProperty("fits").GetBoolean()));
        Assert.Equal(2 * 1000 * 46_080, before.GetProperty("precisions")[0].GetProperty("cache").GetInt64());
    }

    private static JsonObject Recorded(string file)
    {
        var body = JsonNode.Parse(File.ReadAllText(SharedFolder.Require("cases", file)))!.AsObject();
        body["model"] = "smollm2";
        return body;
    }

    private static JsonDocument Reference() => JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "smollm2-135m-instruct", "reference.json")));
}

/// <summary>A server that holds SmolLM2, imported from its GGUF file.</summary>
public sealed class GgufModelServer : ServerProcess
{
    private readonly SemaphoreSlim _importing = new(1, 1);
    private bool _imported;

    protected override ServerStart Start => new()
    {
        Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = ModelServer.ImportFolder, ["Engine__MaxContext"] = "2048" },
    };

    public async Task<HttpClient> ReadyAsync()
    {
        var source = SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");
        await _importing.WaitAsync();
        try
        {
            if (!_imported)
            {
                using var client = Client();
                using var answer = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = $"file:{source}", name = "smollm2" }));
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                var job = await client.WaitForJobAsync($"{answer.Headers.Location}");
                Assert.True(job.GetProperty("state").GetString() == "succeeded", job.GetRawText());
                _imported = true;
            }
        }
        finally
        {
            _importing.Release();
        }

        return Client();
    }
}
