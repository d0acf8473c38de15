using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LlmOs.Server.Tests.Pipelines;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>Folders of the cases that others tripped over, imported as they lie, with what transformers says of them.</summary>
public sealed class RecordedFolderTests(TinyModelServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_with_a_byte_order_mark_is_read_without_it_and_the_list_stands()
    {
        using var client = await server.WithAsync("case-01", "cases", "01-tokenizer-config-bom");

        var list = await client.GetFromJsonAsync<JsonElement>("/v1/models", Cancel);
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "case-01", prompt = "Once", max_tokens = 2, temperature = 0 });
        var chat = await client.PostJsonAsync("/v1/chat/completions", new { model = "case-01", messages = new[] { new { role = "user", content = "Hi" } }, max_tokens = 2, temperature = 0 });

        Assert.Contains("case-01", list.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()));
        Assert.Equal(2, reply.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(2, chat.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task A_stored_head_of_other_values_counts_beside_a_tied_flag()
    {
        using var client = await server.WithAsync("case-02", "cases", "02-tied-flag-own-head");

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "case-02", prompt = new[] { 1, 5, 9, 33, 70, 12, 200, 301, 7 }, max_tokens = 0, echo = true, logprobs = 0 });

        var scores = reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Skip(1).Take(3).Select(v => v.GetDouble()).ToList();
        Assert.Equal(-12.4131, scores[0], 1e-3);
        Assert.Equal(-12.9513, scores[1], 1e-3);
        Assert.Equal(-5.7422, scores[2], 1e-3);
    }

    [Fact]
    public async Task A_copied_head_changes_nothing_of_a_first_T5()
    {
        using var client = await server.WithAsync("case-03", "cases", "03-t5-head-copy");

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "case-03", prompt = "The house is wonderful.", max_tokens = 4, temperature = 0, logprobs = 1 });

        var scores = reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Select(v => v.GetDouble()).ToList();
        Assert.Equal(-2.3985, scores[0], 1e-3);
        Assert.Equal(-2.5901, scores[1], 1e-3);
        Assert.Equal(-1.6364, scores[2], 1e-3);
    }

    [Fact]
    public async Task A_padding_id_that_means_none_is_none()
    {
        using var client = await server.WithAsync("case-13", "cases", "13-pad-4294967295.gguf");

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "case-13", prompt = new[] { 1, 2, 3 }, max_tokens = 2, temperature = 0, return_token_ids = true });

        Assert.Equal(2, reply.GetProperty("choices")[0].GetProperty("token_ids").GetArrayLength());
    }

    /// <summary>A tokenizer of any form is one, for evaluations too.</summary>
    [Fact]
    public async Task A_model_with_a_vocabulary_and_merges_is_evaluated()
    {
        using var client = await server.WithAsync("case-11", "cases", "11-gpt2-vocab-merges");

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "case-11", prompt = "Once", max_tokens = 2, temperature = 0 });
        var result = await EvaluateAsync(client, new
        {
            kind = "multiple_choice",
            model = "case-11",
            rows = new[] { new { context = "The house", choices = new[] { " is old", " was" }, answer = 0 } },
        });

        Assert.Equal(2, reply.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.Equal(2, result.GetProperty("rows")[0].GetProperty("loglikelihoods").GetArrayLength());
    }

    [Fact]
    public async Task A_byte_order_mark_is_no_part_of_the_text_that_is_measured()
    {
        using var client = await server.WithAsync("stories", "models", "stories260K", "hf");

        var result = await EvaluateAsync(client, new { kind = "perplexity", model = "stories", text = $"file:{Testing.SharedFolder.Require("cases", "14-perplexity-bom.txt")}" });

        Assert.Equal(1.596, result.GetProperty("perplexity").GetDouble(), 1e-3);
    }

    /// <summary>transformers applies no function to a regression's one score.</summary>
    [Fact]
    public async Task A_regression_gives_its_score_as_it_is()
    {
        using var client = await server.WithAsync("case-09", "cases", "09-regression-head");
        async Task<double> ScoreAsync(object parameters) =>
            (await client.PostJsonAsync("/pipeline/text-classification", new { model = "case-09", inputs = "hello world", parameters }))[0].GetProperty("score").GetDouble();

        var own = await ScoreAsync(new { });

        Assert.Equal(0.6500, own, 1e-4);
        Assert.Equal(0.6570, await ScoreAsync(new { function_to_apply = "SIGMOID" }), 1e-4);
        Assert.Equal(own, await ScoreAsync(new { function_to_apply = "none", top_k = (int?)null }));
    }

    /// <summary>The same weights as the recorded BART's, with its embedding kept under another of its names.</summary>
    [Fact]
    public async Task A_file_that_notes_its_copies_gives_what_the_whole_one_gives()
    {
        using var client = await server.WithAsync("case-04", "cases", "04-bart-large-cnn-layout");
        using var whole = await server.WithAsync("bart");
        object Body(string model) => new { model, prompt = "We will discuss the report tomorrow.", max_tokens = 8, temperature = 0, logprobs = 1 };

        var reply = await client.PostJsonAsync("/v1/completions", Body("case-04"));
        var same = await whole.PostJsonAsync("/v1/completions", Body("bart"));

        Assert.Equal(same.GetProperty("choices")[0].GetProperty("text").GetString(), reply.GetProperty("choices")[0].GetProperty("text").GetString());
        Assert.Equal(
            same.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").GetRawText(),
            reply.GetProperty("choices")[0].GetProperty("logprobs").GetProperty("token_logprobs").GetRawText());
    }

    private static async Task<JsonElement> EvaluateAsync(HttpClient client, object spec)
    {
        var started = await client.PostAsync("/api/v1/evaluations", Json.Body(spec), Cancel);
        Assert.True(started.StatusCode == HttpStatusCode.Accepted, await started.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{started.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.GetRawText());
        return job.GetProperty("result");
    }
}
