using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

public class ModelListTests(ModelServer server)
{
    [Fact]
    public async Task Every_model_is_listed_with_the_version_that_answers()
    {
        using var client = await server.ReadyAsync();

        var list = await client.GetFromJsonAsync<JsonElement>("/v1/models");

        Assert.Equal("list", list.GetProperty("object").GetString());
        var stories = Assert.Single(list.GetProperty("data").EnumerateArray(), m => m.GetProperty("id").GetString() == ModelServer.Stories);
        Assert.Equal("model", stories.GetProperty("object").GetString());
        Assert.True(stories.GetProperty("created").GetInt64() > 1_700_000_000);
        Assert.Equal("stories260k:1", stories.GetProperty("llmos").GetProperty("version").GetString());
        Assert.Equal(512, stories.GetProperty("llmos").GetProperty("context").GetInt32());
        Assert.Equal(["completion"], stories.GetProperty("llmos").GetProperty("capabilities").EnumerateArray().Select(c => c.GetString()));
    }

    [Theory]
    [InlineData("stories260k", "stories260k")]
    [InlineData("stories260k:1", "stories260k:1")]
    [InlineData("stories260k:latest", "stories260k:latest")]
    [InlineData("tiny%2Fllama-rope3", "tiny/llama-rope3")]
    [InlineData("tiny%2fllama-rope3", "tiny/llama-rope3")]
    [InlineData("tiny/llama-rope3@latest", "tiny/llama-rope3@latest")]
    public async Task A_model_is_shown_by_any_of_its_names(string path, string id)
    {
        using var client = await server.ReadyAsync();

        var model = await client.GetFromJsonAsync<JsonElement>($"/v1/models/{path}");

        Assert.Equal(id, model.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("no-such%2Fmodel")]
    [InlineData("stories260k:9")]
    [InlineData("stories260k@nobody")]
    public async Task An_unknown_model_is_not_found(string path)
    {
        using var client = await server.ReadyAsync();

        using var answer = await client.GetAsync($"/v1/models/{path}");

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal("model_not_found", Json.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task Texts_go_to_ids_and_back()
    {
        using var client = await server.ReadyAsync();

        var ids = (await client.PostJsonAsync("/api/v1/tokenizers/stories260k/encode", new { texts = new[] { "Once upon a time", "" } })).GetProperty("ids");
        var texts = (await client.PostJsonAsync("/api/v1/tokenizers/stories260k/decode", new { ids })).GetProperty("texts");

        Assert.Equal([1, 403, 407, 261, 378], ids[0].Ids());
        Assert.Equal(["Once upon a time", ""], texts.EnumerateArray().Select(t => t.GetString()));
    }
}
