using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public class RunCommandTests
{
    [Fact]
    public async Task A_prompt_is_answered_on_standard_output_and_the_key_is_sent()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/v1/chat/completions", context => Answers.StreamAsync(context.Response, "Once ", "more é", "…")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "run", "starter", "Say", "it", "--temperature", "0", "-n", "9");

        Assert.Equal((0, "Once more é…\n", ""), (outcome.Code, outcome.Output, outcome.Error));
        var request = Assert.Single(server.Requests);
        Assert.Equal("Bearer a-key", request.Authorization);
        using var body = JsonDocument.Parse(request.Body);
        Assert.Equal("starter", body.RootElement.GetProperty("model").GetString());
        Assert.Equal("Say it", body.RootElement.GetProperty("messages")[0].GetProperty("content").GetString());
        Assert.Equal(0, body.RootElement.GetProperty("temperature").GetDouble());
        Assert.Equal(9, body.RootElement.GetProperty("max_tokens").GetInt32());
        Assert.False(body.RootElement.TryGetProperty("seed", out _), "what was not asked for is not sent");
    }

    [Fact]
    public async Task Without_a_prompt_standard_input_is_the_prompt()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/v1/completions", context => Answers.StreamAsync(context.Response, "x")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address, Input: "Once upon\n"), "run", "starter", "--raw", "--verbose");

        Assert.Equal(0, outcome.Code);
        using var body = JsonDocument.Parse(Assert.Single(server.Requests).Body);
        Assert.Equal("Once upon", body.RootElement.GetProperty("prompt").GetString());
        Assert.Contains("1 tokens in ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_standard_input_is_a_usage_error()
    {
        await using var server = await LoopbackServer.StartAsync(_ => { });

        var outcome = await LlmosCommand.RunAsync(new(server.Address, Input: "\n"), "run", "starter");

        Assert.Equal(2, outcome.Code);
        Assert.Contains("no prompt", outcome.Error, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_refusal_of_the_server_is_shown_in_its_own_words()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/v1/chat/completions", () => Results.Json(
            new ErrorBody(new ErrorDetail("There is no model 'nope'.", "not_found_error", "model", "model_not_found")), LlmOsJson.Options, statusCode: 404)));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "run", "nope", "hi");

        Assert.Equal((1, "", "llmos: There is no model 'nope'.\n"), (outcome.Code, outcome.Output, outcome.Error));
    }

    [Fact]
    public async Task A_reply_that_breaks_off_is_a_failure()
    {
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/v1/chat/completions", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await Answers.SendAsync(context.Response, """{"choices":[{"delta":{"content":"half"},"finish_reason":null}]}""");
        }));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "run", "starter", "hi");

        Assert.Equal(3, outcome.Code);
        Assert.StartsWith("half", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("in the middle of a reply", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_stops_the_reply_and_the_server_hears_of_it()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals: this system has none");
        var left = new TaskCompletionSource();
        await using var server = await LoopbackServer.StartAsync(app => app.MapPost("/v1/chat/completions", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await Answers.SendAsync(context.Response, """{"choices":[{"delta":{"content":"first"},"finish_reason":null}]}""");
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        }));
        using var process = LlmosCommand.Start(new(server.Address), "run", "starter", "hi");
        var first = new char[5];
        await process.StandardOutput.ReadBlockAsync(first);

        using (var kill = Process.Start("kill", ["-INT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
        {
            await kill.WaitForExitAsync();
        }

        var outcome = await LlmosCommand.EndAsync(process);
        await left.Task;
        Assert.Equal("first", new string(first));
        Assert.Equal(130, outcome.Code);
    }
}
