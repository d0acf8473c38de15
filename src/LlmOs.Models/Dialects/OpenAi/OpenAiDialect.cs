using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>OpenAI's API, with the routes beside it that servers of this kind (vLLM, llama.cpp) have.</summary>
internal sealed class OpenAiDialect : IDialect
{
    public static OpenAiDialect Instance { get; } = new();

    public string Name => "openai";

    public IReadOnlyList<PathString> Prefixes { get; } = ["/v1", "/tokenize", "/detokenize", "/apply-template"];

    public StreamFraming Framing { get; } = new ServerSentEvents(end: "[DONE]");

    public DialectError ErrorOf(LlmOsException refusal, string requestId) => OpenAiErrors.Of(refusal);
}

/// <summary>Refusals in OpenAI's shape.</summary>
internal static class OpenAiErrors
{
    public static DialectError Of(LlmOsException refusal) => new(
        Refusals.StatusOf(refusal.Code),
        "application/json; charset=utf-8",
        new ErrorBody(new ErrorDetail(Refusals.TextOf(refusal), TypeOf(refusal.Code), refusal.Field, refusal.Code.ToWord())));

    /// <summary>The word in <c>error.type</c>.</summary>
    /// <remarks>It follows from the status, but for those that say more.</remarks>
    private static string TypeOf(ErrorCode code) => code switch
    {
        ErrorCode.MethodNotAllowed or ErrorCode.RequestTooLarge or ErrorCode.UnsupportedMediaType => "invalid_request_error",
        _ => Refusals.StatusOf(code) switch
        {
            StatusCodes.Status400BadRequest => "invalid_request_error",
            StatusCodes.Status401Unauthorized => "authentication_error",
            StatusCodes.Status403Forbidden => "permission_error",
            StatusCodes.Status404NotFound => "not_found_error",
            StatusCodes.Status409Conflict or StatusCodes.Status412PreconditionFailed => "conflict",
            StatusCodes.Status429TooManyRequests => "rate_limit_error",
            StatusCodes.Status503ServiceUnavailable => "overloaded",
            _ => "server_error",
        },
    };
}
