using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public class ConversationTests
{
    [Fact]
    public async Task Each_turn_carries_what_was_said_before_until_it_is_cleared()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/v1/chat/completions", context => Answers.StreamAsync(context.Response, "yes\u001b[2J")));

        var (code, output, _) = await TalkAsync(server, "one\n\ntwo\n/clear\nthree\n/bye\nnever\n", system: "Be brief.");

        Assert.Equal(0, code);
        Assert.DoesNotContain("\u001b", output, StringComparison.Ordinal);
        string[][] expected =
        [
            ["system:Be brief.", "user:one"],
            ["system:Be brief.", "user:one", "assistant:yes\u001b[2J", "user:two"],
            ["system:Be brief.", "user:three"],
        ];
        Assert.Equal(expected, server.Requests.Select(Messages));
    }

    [Fact]
    public async Task A_refused_turn_is_taken_back_and_the_conversation_goes_on()
    {
        var first = true;
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/v1/chat/completions", async context =>
        {
            if (first)
            {
                first = false;
                context.Response.StatusCode = 400;
                await context.Response.WriteAsJsonAsync(
                    new ErrorBody(new ErrorDetail("700 tokens do not fit into 512.", "invalid_request_error", "messages", "context_length_exceeded")), LlmOsJson.Options);
                return;
            }

            await Answers.StreamAsync(context.Response, "fine");
        }));

        var (code, _, notes) = await TalkAsync(server, "too long\nshort\n", system: null);

        Assert.Equal(0, code);
        Assert.Contains("700 tokens do not fit into 512.", notes, StringComparison.Ordinal);
        Assert.Contains("/clear", notes, StringComparison.Ordinal);
        Assert.Equal(["user:short"], Messages(server.Requests.Last()));
    }

    private static async Task<(int Code, string Output, string Notes)> TalkAsync(LoopbackServer server, string input, string? system)
    {
        using var client = LlmOsClient.Create(new Uri(server.Address), key: null);
        using var interrupts = new Interrupts();
        var (output, notes) = (new StringWriter(), new StringWriter());
        var conversation = new Conversation(client, interrupts, output, notes) { Model = "starter", System = system };
        return (await conversation.TalkAsync(new StringReader(input)), output.ToString(), notes.ToString());
    }

    private static string[] Messages(LoopbackServer.Seen request)
    {
        using var body = JsonDocument.Parse(request.Body);
        return [.. body.RootElement.GetProperty("messages").EnumerateArray().Select(m => $"{m.GetProperty("role").GetString()}:{m.GetProperty("content").GetString()}")];
    }
}
