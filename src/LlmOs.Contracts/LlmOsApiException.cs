using System.Net;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>A refusal by the server, in the server's own words.</summary>
public sealed class LlmOsApiException : Exception
{
    public LlmOsApiException(HttpStatusCode status, string code, string message)
        : base(message) => (Status, Code) = (status, code);

    public HttpStatusCode Status { get; }

    /// <summary>An <see cref="ErrorCode"/> in snake case; <c>http_502</c> and the like where something in between answered.</summary>
    public string Code { get; }

    /// <summary>What is wrong with which field; empty when no field is at fault.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; private init; } = new Dictionary<string, string>();

    /// <summary>Finds the request in the server's log.</summary>
    public string? RequestId { get; private init; }

    /// <summary>Reads a refusal in either of the two shapes: a problem document, or OpenAI's error object.</summary>
    internal static async Task<LlmOsApiException> FromAsync(HttpResponseMessage response, CancellationToken cancel)
    {
        var body = await response.Content.ReadAsStringAsync(cancel);
        var id = response.Headers.TryGetValues("x-request-id", out var values) ? values.FirstOrDefault() : null;
        var fallback = $"http_{(int)response.StatusCode}";
        try
        {
            if (JsonSerializer.Deserialize<ErrorDocument>(body, LlmOsJson.Options) is { } document)
            {
                var fields = document.Errors?.ToDictionary(e => e.Key, e => string.Join(' ', e.Value)) ?? [];
                if (document.Error is { Message: { Length: > 0 } text } error)
                {
                    return new(response.StatusCode, error.Code ?? fallback, text) { RequestId = id, Fields = fields };
                }

                if ((document.Detail ?? document.Title) is { Length: > 0 } detail)
                {
                    return new(response.StatusCode, document.Code ?? fallback, detail) { RequestId = id, Fields = fields };
                }
            }
        }
        catch (JsonException)
        {
            // The answer comes from a proxy or another program, not from LlmOs. Only its status is known.
        }

        return new(response.StatusCode, fallback, $"The server answered {(int)response.StatusCode} {response.ReasonPhrase}.") { RequestId = id };
    }

    private sealed record ErrorDocument(string? Title, string? Detail, string? Code, Dictionary<string, string[]>? Errors, OpenAiError? Error);

    private sealed record OpenAiError(string? Message, string? Code);
}
