using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Pipelines;

public class TextGenerationTests(ModelServer server)
{
    private const string Path = "/pipeline/text-generation";

    [Fact]
    public async Task The_prompt_stands_before_the_new_text_unless_it_is_not_wanted()
    {
        using var client = await server.ReadyAsync();

        var full = await client.PostJsonAsync(Path, new { model = ModelServer.Stories, inputs = "The meaning of life is", parameters = new { max_new_tokens = 8 } });
        var part = await client.PostJsonAsync(Path, new { model = ModelServer.Stories, inputs = "The meaning of life is", parameters = new { max_new_tokens = 8, return_full_text = false } });

        var text = Assert.Single(full.EnumerateArray()).GetProperty("generated_text").GetString()!;
        Assert.StartsWith("The meaning of life is ", text, StringComparison.Ordinal);
        Assert.Equal(text["The meaning of life is".Length..], part[0].GetProperty("generated_text").GetString());
        Assert.Equal(["generated_text"], full[0].EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task A_list_in_gives_a_list_out_also_for_one_input()
    {
        using var client = await server.ReadyAsync();

        var one = await client.PostJsonAsync($"/models/{ModelServer.Stories}", new { inputs = new[] { "Once" }, parameters = new { max_new_tokens = 2 } });
        var two = await client.PostJsonAsync("/models/tiny/llama-rope3", new { inputs = new[] { "Once", "Twice" }, parameters = new { max_new_tokens = 2, num_return_sequences = 2, do_sample = true, seed = 1 } });

        Assert.Equal(1, one.GetArrayLength());
        Assert.Equal(1, one[0].GetArrayLength());
        Assert.Equal([2, 2], two.EnumerateArray().Select(t => t.GetArrayLength()));
        Assert.StartsWith("Twice", two[1][0].GetProperty("generated_text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_transformers_wrote_comes_out()
    {
        using var client = await server.ReadyAsync();
        var rows = Json.Parse(File.ReadAllText(SharedFolder.Require("vectors", "pipelines", "text-generation.json"))).GetProperty("cases").EnumerateArray()
            .Where(c => c.GetProperty("model").GetString() == "llama-rope3-tied" && IsGreedy(c)).ToList();
        Assert.True(rows.Count > 7 && rows.Any(IsChat), $"only {rows.Count} cases were found");

        foreach (var row in rows)
        {
            var reply = await client.PostJsonAsync(Path, new { model = ModelServer.Rope, inputs = row.GetProperty("inputs"), parameters = row.GetProperty("parameters") });

            Assert.True(JsonElement.DeepEquals(row.GetProperty("output"), reply), $"{row.GetProperty("output")} is expected, not {reply}");
        }
    }

    [Fact]
    public async Task A_greatest_length_counts_the_prompt()
    {
        using var client = await server.ReadyAsync();

        var ids = (await client.PostJsonAsync(Path, new { model = ModelServer.Stories, inputs = "Once upon a time", parameters = new { max_length = 9, return_tensors = true } }))[0].GetProperty("generated_token_ids").Ids();
        var error = await client.RefusedAsync(Path, """{"model":"stories260k","inputs":"Once upon a time","parameters":{"max_length":5}}""");

        Assert.Equal(9, ids.Length);
        Assert.Equal([1, 403, 407, 261, 378], ids[..5]);
        Assert.Equal("inputs", error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task Details_tell_the_reason_and_the_tokens()
    {
        using var client = await server.ReadyAsync();

        var text = (await client.PostJsonAsync(Path, new
        {
            model = ModelServer.Stories,
            inputs = "Once upon a time",
            parameters = new { max_new_tokens = 40, details = true, stop = new[] { "girl" }, return_full_text = false },
        }))[0];

        var details = text.GetProperty("details");
        Assert.EndsWith("girl", text.GetProperty("generated_text").GetString(), StringComparison.Ordinal);
        Assert.Equal("stop_sequence", details.GetProperty("finish_reason").GetString());
        Assert.Equal(details.GetProperty("generated_tokens").GetInt32(), details.GetProperty("tokens").GetArrayLength());
        Assert.Equal(text.GetProperty("generated_text").GetString(), string.Concat(details.GetProperty("tokens").EnumerateArray().Select(t => t.GetProperty("text").GetString())));
    }

    [Fact]
    public async Task A_stream_ends_with_the_whole_text()
    {
        using var client = await server.ReadyAsync();

        var events = (await client.StreamAsync(Path, new { model = ModelServer.Stories, inputs = "Once upon a time", stream = true, parameters = new { max_new_tokens = 9 } })).Select(Json.Parse).ToList();

        Assert.Equal(9, events.Count);
        Assert.All(events.SkipLast(1), e => Assert.Equal(JsonValueKind.Null, e.GetProperty("generated_text").ValueKind));
        Assert.Equal(events[^1].GetProperty("generated_text").GetString(), string.Concat(events.Select(e => e.GetProperty("token").GetProperty("text").GetString())));
    }

    [Fact]
    public async Task Sampling_arguments_without_sampling_are_told_to_have_no_effect()
    {
        using var client = await server.ReadyAsync();

        using var answer = await client.PostAsync(Path, Json.Body(new { model = ModelServer.Stories, inputs = "Once", parameters = new { max_new_tokens = 1, temperature = 0.5, foo = 1 } }));

        Assert.Equal("no effect: foo, temperature (needs do_sample)", Assert.Single(answer.Headers.GetValues("X-LlmOs-Warning")));
    }

    [Theory]
    [InlineData("inputs", """{"model":"stories260k"}""")]
    [InlineData("inputs", """{"model":"stories260k","inputs":7}""")]
    [InlineData("inputs", """{"model":"stories260k","inputs":[]}""")]
    [InlineData("inputs[1]", """{"model":"stories260k","inputs":["a",7]}""")]
    [InlineData("inputs[0]", """{"model":"stories260k","inputs":[{"role":"alien","content":"x"}]}""")]
    [InlineData("parameters.max_new_tokens", """{"model":"stories260k","inputs":"x","parameters":{"max_new_tokens":-1}}""")]
    [InlineData("parameters.num_beams", """{"model":"stories260k","inputs":"x","parameters":{"num_beams":400}}""")]
    [InlineData("parameters.num_beams", """{"model":"stories260k","inputs":"x","parameters":{"num_beams":200}}""")]
    [InlineData("stream", """{"model":"stories260k","inputs":["a","b"],"stream":true}""")]
    public async Task What_cannot_be_done_is_refused_by_its_field(string field, string body)
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(Path, body);

        Assert.Equal(field, error.GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_task_that_is_not_served_is_not_found_and_those_that_are_are_named()
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync("/pipeline/make-coffee", """{"inputs":"x"}""", HttpStatusCode.NotFound);

        Assert.Contains("text-generation", error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static bool IsChat(JsonElement row) =>
        row.GetProperty("inputs") is { ValueKind: JsonValueKind.Array } inputs && inputs[0].ValueKind == JsonValueKind.Object;

    private static bool IsGreedy(JsonElement row)
    {
        var parameters = row.GetProperty("parameters");
        return parameters.GetProperty("num_beams").GetInt32() == 1 && !parameters.TryGetProperty("no_repeat_ngram_size", out _);
    }
}
