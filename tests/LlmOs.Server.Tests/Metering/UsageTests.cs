using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.Http;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Server.Tests.Pipelines;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Metering;

/// <summary>Every request that runs a model leaves one usage record, and it says what the reply says.</summary>
public sealed class UsageTests(TinyModelServer server) : IClassFixture<TinyModelServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/v1/chat/completions", "chat", """{"model":"starter","messages":[{"role":"user","content":"Once upon a time"}],"max_tokens":7,"min_tokens":7}""", 7)]
    [InlineData("/v1/chat/completions", "chat", """{"model":"starter","messages":[{"role":"user","content":"Once upon a time"}],"max_tokens":5,"min_tokens":5,"n":3}""", 15)]
    [InlineData("/v1/completions", "completion", """{"model":"starter","prompt":"Once upon a time","max_tokens":6,"min_tokens":6}""", 6)]
    [InlineData("/v1/completions", "completion", """{"model":"starter","prompt":["Once upon a time","There was"],"max_tokens":4,"min_tokens":4,"n":2,"best_of":3}""", 24)]
    [InlineData("/v1/completions", "completion", """{"model":"starter","prompt":["Once upon a time","There was"],"max_tokens":4,"min_tokens":4,"num_beams":3}""", null)]
    [InlineData("/v1/completions", "completion", """{"model":"starter","prompt":"Once upon a time","max_tokens":4,"min_tokens":4,"echo":true,"logprobs":2}""", 4)]
    [InlineData("/v1/completions", "scoring", """{"model":"starter","prompt":["Once upon a time","There was"],"max_tokens":0,"echo":true,"logprobs":0}""", 0)]
    [InlineData("/v1/completions", "completion", """{"model":"starter","prompt":"Once upon a time","max_tokens":0,"echo":true}""", 0)]
    [InlineData("/models/starter/v1/completions", "completion", """{"prompt":"Once upon a time","max_tokens":2,"min_tokens":2}""", 2)]
    public async Task A_whole_reply_and_its_record_say_the_same(string path, string operation, string body, int? made)
    {
        var (keyId, client) = await CallerAsync();

        var reply = await client.PostJsonAsync(path, Json.Parse(body));

        var record = Assert.Single(await RecordsAsync(client));
        AssertEqual(reply.GetProperty("usage"), record);
        Assert.Equal((operation, "starter:1", keyId), (record.GetProperty("operation").GetString(), record.GetProperty("model").GetString(), record.GetProperty("key_id").GetString()));
        Assert.True(made is { } tokens ? record.GetProperty("generated_tokens").GetInt32() == tokens : record.GetProperty("generated_tokens").GetInt32() >= 2 * 4, record.ToString());
        Assert.True(record.GetProperty("prompt_tokens").GetInt32() > 0);
    }

    [Theory]
    [InlineData("/v1/chat/completions", """{"model":"starter","messages":[{"role":"user","content":"Once upon a time"}],"max_tokens":6,"n":2,"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("/v1/completions", """{"model":"starter","prompt":["Once upon a time","There was"],"max_tokens":6,"stream":true,"stream_options":{"include_usage":true}}""")]
    [InlineData("/v1/completions", """{"model":"starter","prompt":"Once upon a time","max_tokens":8,"stop":["a"],"stream":true,"stream_options":{"include_usage":true}}""")]
    public async Task A_stream_and_its_record_say_the_same(string path, string body)
    {
        var (_, client) = await CallerAsync();

        var events = await client.StreamAsync(path, Json.Parse(body));

        AssertEqual(Json.Parse(events[^2]).GetProperty("usage"), Assert.Single(await RecordsAsync(client)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Text_generation_inference_leaves_what_its_details_say(bool stream)
    {
        var (_, client) = await CallerAsync();
        var parameters = new { max_new_tokens = 9, details = true, decoder_input_details = !stream };

        var details = stream
            ? Json.Parse(await LastEventAsync(client, new { inputs = "Once upon a time", parameters })).GetProperty("details")
            : (await client.PostJsonAsync("/generate", new { inputs = "Once upon a time", parameters })).GetProperty("details");

        var record = Assert.Single(await RecordsAsync(client));
        var read = stream ? details.GetProperty("input_length").GetInt32() : details.GetProperty("prefill").GetArrayLength();
        Assert.Equal(
            ("completion", read, details.GetProperty("generated_tokens").GetInt32()),
            (record.GetProperty("operation").GetString(), record.GetProperty("prompt_tokens").GetInt32(), record.GetProperty("generated_tokens").GetInt32()));
        Assert.True(read > 2, $"{read} tokens read");
    }

    [Fact]
    public async Task Who_leaves_a_stream_early_pays_for_what_was_made()
    {
        var (_, client) = await CallerAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = Json.Body(new { model = "starter", prompt = "Once", max_tokens = 200, min_tokens = 200, stream = true, return_token_ids = true }),
        };

        var read = 0;
        using (var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel))
        using (var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancel)))
        {
            while (read < 3)
            {
                read += (await reader.ReadLineAsync(Cancel))!.Contains("\"token_ids\":[", StringComparison.Ordinal) ? 1 : 0;
            }
        }

        IReadOnlyList<JsonElement> records = [];
        while (records.Count == 0)
        {
            // The server hears of the closed connection in its own time; the test's own time limit ends the asking.
            records = await RecordsAsync(client);
        }

        var made = Assert.Single(records).GetProperty("generated_tokens").GetInt32();
        Assert.InRange(made, 2, 200); // the first event shows the prompt's ids
        Assert.True(records[0].GetProperty("prompt_tokens").GetInt32() > 0);
    }

    [Fact]
    public async Task Embeddings_leave_the_tokens_that_were_read()
    {
        using var _ = await server.WithAsync("st-mean-normalize");
        var (_, client) = await CallerAsync();

        var reply = await client.PostJsonAsync("/v1/embeddings", new { model = "st-mean-normalize", input = new[] { "The cat sits outside.", "A man plays the guitar." } });

        var record = Assert.Single(await RecordsAsync(client));
        Assert.Equal("embedding", record.GetProperty("operation").GetString());
        Assert.Equal((reply.GetProperty("usage").GetProperty("prompt_tokens").GetInt32(), 0), (record.GetProperty("prompt_tokens").GetInt32(), record.GetProperty("generated_tokens").GetInt32()));
        Assert.True(record.GetProperty("prompt_tokens").GetInt32() > 8);
    }

    [Theory]
    [InlineData("text-generation", "gpt2", """{"inputs":["Once upon","There was"],"parameters":{"max_new_tokens":5,"min_new_tokens":5}}""", 10)]
    [InlineData("text2text-generation", "t5-relu-tied", """{"inputs":"The house is old.","parameters":{"max_new_tokens":4,"min_new_tokens":4}}""", 4)]
    [InlineData("summarization", "bart", """{"inputs":"The king was angry.","parameters":{"num_beams":1,"max_new_tokens":4,"min_new_tokens":4}}""", 4)]
    [InlineData("translation", "marian", """{"inputs":"The house is old.","parameters":{"num_beams":1,"max_new_tokens":4,"min_new_tokens":4}}""", 4)]
    [InlineData("text-classification", "bert-seqcls", """{"inputs":["I love thee well!","No."]}""", 0)]
    [InlineData("zero-shot-classification", "roberta-nli", """{"inputs":"I love thee well!","parameters":{"candidate_labels":["war","love"]}}""", 0)]
    [InlineData("token-classification", "bert-tokcls", """{"inputs":["Caius Marcius went to Rome.","He came back."]}""", 0)]
    [InlineData("fill-mask", "bert-mlm", """{"inputs":"We are accounted poor [MASK]."}""", 0)]
    [InlineData("question-answering", "bert-qa", """{"inputs":{"question":"Who is the enemy?","context":"Caius Marcius is chief enemy to the people."}}""", 0)]
    [InlineData("feature-extraction", "bert-base", """{"inputs":"I love thee well!"}""", 0)]
    [InlineData("sentence-similarity", "st-mean-normalize", """{"inputs":{"source_sentence":"We are poor.","sentences":["They are rich.","We are poor."]}}""", 0)]
    public async Task Each_task_leaves_one_record_under_its_name(string task, string model, string body, int made)
    {
        using var _ = await server.WithAsync(model);
        var (_, client) = await CallerAsync();
        var request = Json.Parse(body).EnumerateObject().ToDictionary(p => p.Name, p => (object)p.Value);
        request["model"] = model;

        await client.PostJsonAsync($"/pipeline/{task}", request);

        var record = Assert.Single(await RecordsAsync(client));
        Assert.Equal((task, $"{model}:1", made), (record.GetProperty("operation").GetString(), record.GetProperty("model").GetString(), record.GetProperty("generated_tokens").GetInt32()));
        Assert.True(record.GetProperty("prompt_tokens").GetInt32() > 1, record.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_app_is_named_beside_the_key_that_used_it(bool stream)
    {
        using var admin = await server.StartedAsync();
        var slug = stream ? "streamed-tales" : "whole-tales";
        await admin.PostAsync("/api/v1/apps", Json.Body(new { template = "story-writer", slug, model = "starter" }), Cancel);

        var usage = stream
            ? Json.Parse((await admin.StreamAsync($"/api/v1/apps/{slug}/invoke", new { inputs = new { opening = "Once upon a time", length = 9 }, stream }))[^2]).GetProperty("usage")
            : (await admin.PostJsonAsync($"/api/v1/apps/{slug}/invoke", new { inputs = new { opening = "Once upon a time", length = 9 } })).GetProperty("usage");

        var record = Assert.Single(await RecordsAsync(admin, limit: 500), r => r.GetProperty("app").GetString() == slug);
        AssertEqual(usage, record);
        Assert.Equal("key_configured", record.GetProperty("key_id").GetString());
        var summary = Json.Parse(await admin.GetStringAsync("/api/v1/usage/summary?by=app", Cancel));
        Assert.Equal(1, Assert.Single(summary.GetProperty("items").EnumerateArray(), g => g.GetProperty("value").GetString() == slug).GetProperty("totals").GetProperty("requests").GetInt32());
    }

    [Theory]
    [InlineData("perplexity")]
    [InlineData("multiple_choice")]
    public async Task An_evaluation_leaves_one_record_of_its_job(string kind)
    {
        using var admin = await server.StartedAsync();
        var text = SharedFolder.Require("data", "tinyshakespeare", "input.txt");
        object spec = kind == "perplexity"
            ? new { kind, model = "starter", text = $"file:{text}", window = 32, max_tokens = 256 }
            : new { kind, model = "starter", rows = new[] { new { context = "Once upon a", choices = new[] { "time", "spoon" }, answer = 0 } } };
        var before = await RecordsAsync(admin, limit: 500);

        using var answer = await admin.PostAsync("/api/v1/evaluations", Json.Body(spec), Cancel);
        var id = Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("job").GetProperty("id").GetString();
        var job = await admin.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);

        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        var record = Assert.Single(await RecordsAsync(admin, limit: 500), r => r.GetProperty("job_id").GetString() == id);
        Assert.DoesNotContain(before, r => r.GetProperty("job_id").GetString() == id);
        Assert.Equal(("scoring", "starter:1", 0), (record.GetProperty("operation").GetString(), record.GetProperty("model").GetString(), record.GetProperty("generated_tokens").GetInt32()));
        Assert.True(kind == "perplexity" ? record.GetProperty("prompt_tokens").GetInt32() == 256 : record.GetProperty("prompt_tokens").GetInt32() > 4, record.ToString());
    }

    [Fact]
    public async Task A_training_leaves_a_record_of_each_sample_and_one_of_the_comparison()
    {
        using var admin = await server.StartedAsync();
        using var answer = await admin.PostAsync("/api/v1/training", Json.Body(new
        {
            name = "metered",
            text = $"file:{SharedFolder.Require("data", "tinyshakespeare", "input.txt")}",
            tokenizer = new { train = "bpe", vocabulary = 300 },
            architecture = new { type = "llama", layers = 1, hidden = 32, heads = 2, kv_heads = 1, intermediate = 64, context = 32 },
            budget = new { steps = 4 },
            samples = new[] { "The king", "Speak" },
        }), Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, text);
        var id = Json.Parse(text).GetProperty("job").GetProperty("id").GetString();
        var job = await admin.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());

        var records = (await RecordsAsync(admin, limit: 500)).Where(r => r.GetProperty("job_id").GetString() == id).ToList();
        var samples = records.Where(r => r.GetProperty("operation").GetString() == "sample").ToList();
        Assert.True(samples.Count >= 2 && samples.Count % 2 == 0, $"{samples.Count} samples");
        Assert.All(samples, s => Assert.InRange(s.GetProperty("generated_tokens").GetInt32(), 1, 32));
        Assert.All(samples, s => Assert.InRange(s.GetProperty("prompt_tokens").GetInt32(), 1, 8));
        var parity = Assert.Single(records, r => r.GetProperty("operation").GetString() == "parity");
        Assert.Equal("metered", parity.GetProperty("model").GetString());
        Assert.True(parity.GetProperty("prompt_tokens").GetInt32() > 32 && parity.GetProperty("generated_tokens").GetInt32() > 0, parity.ToString());
    }

    [Fact]
    public async Task What_is_refused_leaves_nothing_and_nobody_sees_what_is_anothers()
    {
        var (_, one) = await CallerAsync();
        var (otherId, other) = await CallerAsync();
        await other.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once", max_tokens = 3, min_tokens = 3 });
        await other.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once", max_tokens = 4, min_tokens = 4 });
        await one.RefusedAsync("/v1/completions", """{"model":"starter","prompt":"Once","temperature":-1}""");
        await one.RefusedAsync("/v1/completions", """{"model":"nobody","prompt":"Once"}""", HttpStatusCode.NotFound);

        Assert.Empty(await RecordsAsync(one));
        Assert.Equal(2, (await RecordsAsync(other)).Count);
        Assert.Empty(await RecordsAsync(one, key: otherId));
        using var admin = await server.StartedAsync();
        Assert.Equal(2, (await RecordsAsync(admin, key: otherId)).Count);
        var summary = Json.Parse(await other.GetStringAsync("/api/v1/usage/summary?by=key", Cancel));
        Assert.Equal(7, Assert.Single(summary.GetProperty("items").EnumerateArray()).GetProperty("totals").GetProperty("generated_tokens").GetInt32());
        Assert.Equal(otherId, summary.GetProperty("items")[0].GetProperty("value").GetString());
        Assert.Equal(2, summary.GetProperty("total").GetProperty("requests").GetInt32());
        Assert.Equal("model", Json.Parse(await other.GetStringAsync("/api/v1/usage/summary", Cancel)).GetProperty("by").GetString());
        Assert.Equal(0, Json.Parse(await one.GetStringAsync("/api/v1/usage/summary?by=day", Cancel)).GetProperty("total").GetProperty("requests").GetInt32());
    }

    [Fact]
    public async Task Records_come_in_pages_the_newest_first_within_times_and_of_a_model()
    {
        var (_, client) = await CallerAsync();
        foreach (var tokens in new[] { 1, 2, 3 })
        {
            await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once", max_tokens = tokens, min_tokens = tokens });
        }

        var first = Json.Parse(await client.GetStringAsync("/api/v1/usage?limit=2", Cancel));
        var second = Json.Parse(await client.GetStringAsync($"/api/v1/usage?limit=2&after={first.GetProperty("next").GetString()}", Cancel));
        Assert.Equal([3, 2], first.GetProperty("items").EnumerateArray().Select(r => r.GetProperty("generated_tokens").GetInt32()));
        Assert.Equal([1], second.GetProperty("items").EnumerateArray().Select(r => r.GetProperty("generated_tokens").GetInt32()));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);

        var middle = Uri.EscapeDataString(first.GetProperty("items")[1].GetProperty("created_at").GetString()!);
        Assert.Equal(2, Json.Parse(await client.GetStringAsync($"/api/v1/usage?since={middle}", Cancel)).GetProperty("items").GetArrayLength());
        Assert.Equal(1, Json.Parse(await client.GetStringAsync($"/api/v1/usage?until={middle}", Cancel)).GetProperty("items").GetArrayLength());
        Assert.Equal(3, Json.Parse(await client.GetStringAsync("/api/v1/usage?model=starter", Cancel)).GetProperty("items").GetArrayLength());
        Assert.Equal(0, Json.Parse(await client.GetStringAsync("/api/v1/usage?model=starter:2", Cancel)).GetProperty("items").GetArrayLength());
    }

    [Theory]
    [InlineData("/api/v1/usage?limit=0")]
    [InlineData("/api/v1/usage?since=yesterday")]
    [InlineData("/api/v1/usage?after=usage_0")]
    [InlineData("/api/v1/usage/summary?by=colour")]
    public async Task A_question_that_means_nothing_is_a_400(string path)
    {
        using var admin = await server.StartedAsync();

        using var answer = await admin.GetAsync(path, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    private static async Task<string> LastEventAsync(HttpClient client, object body)
    {
        using var answer = await client.PostAsync("/generate_stream", Json.Body(body), Cancel);
        return (await answer.Content.ReadAsStringAsync(Cancel)).Trim().Split("\n\n")[^1]["data:".Length..];
    }

    /// <summary>A client with a key of its own, so that its records are this test's alone.</summary>
    private async Task<(string KeyId, HttpClient Client)> CallerAsync()
    {
        using var admin = await server.StartedAsync();
        var (id, key) = await admin.MakeKeyAsync("inference");
        return (id, server.Client(key));
    }

    private static async Task<IReadOnlyList<JsonElement>> RecordsAsync(HttpClient client, string? key = null, int limit = 50)
    {
        var page = Json.Parse(await client.GetStringAsync($"/api/v1/usage?limit={limit}{(key is null ? "" : $"&key={key}")}", Cancel));
        return [.. page.GetProperty("items").EnumerateArray()];
    }

    private static void AssertEqual(JsonElement usage, JsonElement record)
    {
        Assert.Equal(
            (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32()),
            (record.GetProperty("prompt_tokens").GetInt32(), record.GetProperty("generated_tokens").GetInt32()));
        if (usage.TryGetProperty("llmos", out var own))
        {
            Assert.Equal(own.GetProperty("cached_tokens").GetInt32(), record.GetProperty("cached_tokens").GetInt32());
            Assert.All(["queue_ms", "prompt_ms", "decode_ms", "load_ms"], name => Assert.Equal(own.GetProperty(name).GetDouble(), record.GetProperty(name).GetDouble()));
        }
    }
}
