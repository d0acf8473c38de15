using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text.Json;
using LlmOs.Server.Tests.Pipelines;

namespace LlmOs.Server.Tests.OpenAi;

public sealed class EmbeddingTests(TinyModelServer server)
{
    private const string Model = "st-mean-normalize";
    private const string Path = "/v1/embeddings";

    [Fact]
    public async Task Texts_and_ids_alone_and_in_lists_give_the_same_vectors()
    {
        using var client = await server.WithAsync(Model);
        var ids = (await client.PostJsonAsync($"/api/v1/tokenizers/{Model}/encode", new { texts = new[] { "I love thee well!" }, add_special_tokens = true })).GetProperty("ids")[0].Ids();

        var text = await client.PostJsonAsync(Path, new { model = Model, input = "I love thee well!" });
        var texts = await client.PostJsonAsync(Path, new { model = Model, input = new[] { "They hate him; away with him.", "I love thee well!" } });
        var tokens = await client.PostJsonAsync(Path, new { model = Model, input = ids });
        var lists = await client.PostJsonAsync(Path, new { model = Model, input = new[] { ids, ids[..3] } });

        var vector = Vector(text, 0);
        Assert.Equal(("list", Model), (text.GetProperty("object").GetString(), text.GetProperty("model").GetString()));
        Assert.Equal(1, TensorPrimitives.Norm<float>(vector), 1e-5);
        Assert.Equal(vector, Vector(texts, 1));
        Assert.Equal(vector, Vector(tokens, 0));
        Assert.Equal(vector, Vector(lists, 0));
        Assert.Equal(ids.Length, text.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Base64_is_the_little_endian_floats_and_fewer_dimensions_have_length_one_again()
    {
        using var client = await server.WithAsync(Model);

        var floats = await client.PostJsonAsync(Path, new { model = Model, input = "Speak." });
        var base64 = await client.PostJsonAsync(Path, new { model = Model, input = "Speak.", encoding_format = "base64" });
        var fewer = await client.PostJsonAsync(Path, new { model = Model, input = "Speak.", dimensions = 8 });

        var vector = Vector(floats, 0);
        var decoded = MemoryMarshal.Cast<byte, float>(base64.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64()).ToArray();
        Assert.Equal(vector, decoded);
        var cut = vector[..8];
        var length = TensorPrimitives.Norm<float>(cut);
        Assert.All(cut.Zip(Vector(fewer, 0)), pair => Assert.Equal(pair.First / length, pair.Second, 1e-5));
    }

    [Fact]
    public async Task The_layouts_limit_refuses_or_cuts()
    {
        using var client = await server.WithAsync(Model);
        var text = string.Join(' ', Enumerable.Repeat("citizen", 200));

        var error = await client.RefusedAsync(Path, $$"""{"model":"{{Model}}","input":"{{text}}"}""");
        var right = await client.PostJsonAsync(Path, new { model = Model, input = text, truncation = "right" });

        Assert.Equal(("context_length_exceeded", "input"), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        Assert.Contains("64", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(64, right.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.True(right.GetProperty("usage").GetProperty("llmos").GetProperty("truncated_tokens").GetInt32() > 100);
    }

    [Theory]
    [InlineData("input", """{"model":"st-mean-normalize"}""")]
    [InlineData("input", """{"model":"st-mean-normalize","input":[[1,99999]]}""")]
    [InlineData("encoding_format", """{"model":"st-mean-normalize","input":"x","encoding_format":"hex"}""")]
    [InlineData("dimensions", """{"model":"st-mean-normalize","input":"x","dimensions":49}""")]
    [InlineData("truncation", """{"model":"st-mean-normalize","input":"x","truncation":"middle"}""")]
    [InlineData("model", """{"model":"gpt2","input":"x"}""")]
    public async Task What_cannot_be_done_is_refused_by_its_field(string field, string body)
    {
        using var other = await server.WithAsync("gpt2");
        using var client = await server.WithAsync(Model);

        var error = await client.RefusedAsync(Path, body);

        Assert.StartsWith(field, error.GetProperty("param").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beams_come_best_first_with_their_scores_and_an_encoder_decoder_reads_its_prompt()
    {
        using var client = await server.WithAsync("t5-gated-untied");
        int[] source = [86, 110, 36, 10, 3, 1];

        var reply = await client.PostJsonAsync("/v1/completions", new { model = "t5-gated-untied", prompt = source, num_beams = 4, n = 3, max_tokens = 12, length_penalty = 1.0, return_token_ids = true });

        var scores = reply.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("sequence_score").GetDouble()).ToList();
        Assert.Equal(3, scores.Count);
        Assert.Equal(scores.OrderDescending(), scores);
        Assert.All(reply.GetProperty("choices").EnumerateArray(), c => Assert.InRange(c.GetProperty("token_ids").GetArrayLength(), 1, 12));
    }

    [Theory]
    [InlineData("/v1/completions", """{"model":"t5-relu-tied","prompt":"The house is old.","echo":true,"logprobs":0}""", "echo")]
    [InlineData("/generate", """{"model":"t5-relu-tied","inputs":"The house is old.","parameters":{"decoder_input_details":true}}""", "parameters.decoder_input_details")]
    public async Task What_an_encoder_decoder_cannot_score_is_refused_by_the_field_that_asked(string path, string body, string field)
    {
        using var client = await server.WithAsync("t5-relu-tied");

        using var answer = await client.PostAsync(path, Json.Raw(body));

        Assert.InRange((int)answer.StatusCode, 400, 422);
        Assert.Contains($"'{field}'", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static float[] Vector(JsonElement reply, int index) =>
        [.. reply.GetProperty("data")[index].GetProperty("embedding").EnumerateArray().Select(v => v.GetSingle())];
}
