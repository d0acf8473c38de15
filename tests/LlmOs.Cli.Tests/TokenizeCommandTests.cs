using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public class TokenizeCommandTests
{
    [Fact]
    public async Task Tokens_are_listed_with_their_texts()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/tokenize", () => Results.Content("""{"tokens":[{"id":5,"piece":"Once"},{"id":260,"piece":[240,159]}]}""", "application/json")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "tokenize", "starter", "Once", "[upon]", "--special");

        Assert.Equal((0, "2 tokens\n"), (outcome.Code, outcome.Error));
        Assert.Equal(["ID", "TOKEN", "5", "\"Once\"", "260", "[240,159]"], outcome.Output.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        using var body = JsonDocument.Parse(Assert.Single(server.Requests).Body);
        Assert.Equal("Once [upon]", body.RootElement.GetProperty("content").GetString());
        Assert.True(body.RootElement.GetProperty("add_special").GetBoolean());
    }

    [Fact]
    public async Task Ids_alone_stand_on_one_line_and_standard_input_is_the_text()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/tokenize", () => Results.Content("""{"tokens":[{"id":5,"piece":"a"},{"id":6,"piece":"b"}]}""", "application/json")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address, Input: "ab"), "tokenize", "starter", "--ids");

        Assert.Equal((0, "5 6\n"), (outcome.Code, outcome.Output));
    }

    [Fact]
    public async Task Ids_become_text()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/detokenize", () => Results.Content("""{"prompt":"Once","content":"Once"}""", "application/json")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "tokenize", "starter", "--decode", "[5,", "6]");

        Assert.Equal((0, "Once\n"), (outcome.Code, outcome.Output));
        using var body = JsonDocument.Parse(Assert.Single(server.Requests).Body);
        Assert.Equal([5, 6], body.RootElement.GetProperty("tokens").EnumerateArray().Select(t => t.GetInt32()));
    }

    [Fact]
    public async Task A_message_is_shown_as_the_models_template_writes_it()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/apply-template", () => Results.Content("""{"prompt":"<user>Hi"}""", "application/json"));
            app.MapPost("/tokenize", () => Results.Content("""{"tokens":[{"id":1,"piece":"<user>"}]}""", "application/json"));
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "tokenize", "starter", "Hi", "--chat", "--ids");

        Assert.Equal((0, "1\n"), (outcome.Code, outcome.Output));
        Assert.Contains("<user>Hi", server.Requests.Last().Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_id_is_a_mistake_of_usage()
    {
        var outcome = await LlmosCommand.RunAsync(new("http://127.0.0.1:9"), "tokenize", "starter", "--decode", "five");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("'five' is no token id", outcome.Error, StringComparison.Ordinal);
    }
}
