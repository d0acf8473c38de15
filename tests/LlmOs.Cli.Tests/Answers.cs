using System.Text.Json;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

/// <summary>Small answers for the loopback server.</summary>
internal static class Answers
{
    public static readonly DateTimeOffset Day = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    public static JobView Job(JobState state, double progress, string message, string metrics = "{}", string? result = null, JobError? error = null) => new(
        "job_1", "training", state, progress, message, 1, "node", Parse("{}"), result is null ? null : Parse(result), error, Parse(metrics), Day, Day, null, 65, 0, [], null);

    public static IResult Problem(int status, string code, string detail, IReadOnlyDictionary<string, string[]>? errors = null) =>
        Results.Json(new ProblemReply("about:blank", code, status, detail, code, errors, "req_1"), LlmOsJson.Options, "application/problem+json", status);

    /// <summary>A chat stream of these texts, closed as OpenAI closes it.</summary>
    public static async Task StreamAsync(HttpResponse response, params string[] texts)
    {
        response.ContentType = "text/event-stream";
        foreach (var text in texts)
        {
            await SendAsync(response, $$$"""{"choices":[{"delta":{"content":{{{JsonSerializer.Serialize(text)}}}},"finish_reason":null}],"usage":null}""");
        }

        await SendAsync(response, """{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null}""");
        await SendAsync(response, $$$"""{"choices":[],"usage":{"completion_tokens":{{{texts.Length}}}}}""");
        await SendAsync(response, "[DONE]");
    }

    public static async Task SendAsync(HttpResponse response, string data)
    {
        await response.WriteAsync($"data: {data}\n\n");
        await response.Body.FlushAsync();
    }

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
