using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>Tokens as clients of vLLM and of llama.cpp ask for them.</summary>
public class TokenizeTests(ModelServer server)
{
    private const string Text = "Once upon a time, Zoë said 👋";

    [Fact]
    public async Task A_prompt_is_answered_as_vLLM_answers()
    {
        using var client = await server.ReadyAsync();

        var reply = await client.PostJsonAsync("/tokenize", new { model = ModelServer.Stories, prompt = Text, return_token_strs = true });

        Assert.Equal(["count", "max_model_len", "tokens", "token_strs"], reply.EnumerateObject().Select(p => p.Name));
        var ids = reply.GetProperty("tokens").Ids();
        Assert.Equal(ids.Length, reply.GetProperty("count").GetInt32());
        Assert.Equal(512, reply.GetProperty("max_model_len").GetInt32());
        Assert.Equal(ids.Length, reply.GetProperty("token_strs").GetArrayLength());
        Assert.Equal(1, ids[0]); // the begin token
    }

    [Fact]
    public async Task A_content_is_answered_as_llama_cpp_answers()
    {
        using var client = await server.ReadyAsync();

        var plain = await client.PostJsonAsync("/tokenize", new { model = ModelServer.Stories, content = Text });
        var around = await client.PostJsonAsync("/tokenize", new { model = ModelServer.Stories, content = Text, add_special = true });
        var pieces = await client.PostJsonAsync("/tokenize", new { model = ModelServer.Stories, content = Text, with_pieces = true });

        Assert.Equal(["tokens"], plain.EnumerateObject().Select(p => p.Name));
        var ids = plain.GetProperty("tokens").Ids();
        Assert.Equal([1, .. ids], around.GetProperty("tokens").Ids());
        Assert.Equal(ids, pieces.GetProperty("tokens").EnumerateArray().Select(t => t.GetProperty("id").GetInt32()));

        // All pieces together are the text, whether they are texts or bytes.
        var bytes = pieces.GetProperty("tokens").EnumerateArray().SelectMany(t => t.GetProperty("piece") is { ValueKind: JsonValueKind.String } text
            ? System.Text.Encoding.UTF8.GetBytes(text.GetString()!)
            : [.. t.GetProperty("piece").Ids().Select(b => (byte)b)]).ToArray();
        Assert.Equal(Text, System.Text.Encoding.UTF8.GetString(bytes).TrimStart());
    }

    [Fact]
    public async Task Ids_come_back_as_the_text_under_both_names()
    {
        using var client = await server.ReadyAsync();
        var tokens = (await client.PostJsonAsync("/tokenize", new { model = ModelServer.Stories, content = Text })).GetProperty("tokens").Ids();

        var reply = await client.PostJsonAsync("/detokenize", new { model = ModelServer.Stories, tokens });

        Assert.Equal(Text, reply.GetProperty("prompt").GetString()!.TrimStart());
        Assert.Equal(reply.GetProperty("prompt").GetString(), reply.GetProperty("content").GetString());
    }

    [Theory]
    [InlineData("/tokenize", """{"model":"stories260k"}""", "prompt")]
    [InlineData("/tokenize", """{"model":"stories260k","prompt":"a","content":"b"}""", "content")]
    [InlineData("/tokenize", """{"prompt":"a"}""", "model")]
    [InlineData("/tokenize", """{"model":"stories260k","messages":[{"role":"alien","content":"x"}]}""", "messages[0].role")]
    [InlineData("/detokenize", """{"model":"stories260k"}""", "tokens")]
    [InlineData("/detokenize", """{"model":"stories260k","tokens":[512]}""", "tokens")]
    [InlineData("/detokenize", """{"model":"stories260k","tokens":[-1]}""", "tokens")]
    [InlineData("/apply-template", """{"model":"stories260k"}""", "messages")]
    public async Task What_cannot_be_is_refused_in_OpenAIs_shape(string path, string body, string param)
    {
        using var client = await server.ReadyAsync();

        var error = await client.RefusedAsync(path, body);

        Assert.Equal(param, error.GetProperty("param").GetString());
    }
}
