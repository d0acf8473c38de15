using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Dialects.Tgi;

/// <summary>The API of Hugging Face's text-generation-inference, beside the part of it that is OpenAI's.</summary>
internal sealed class TgiDialect : IDialect
{
    public string Name => "tgi";

    public IReadOnlyList<PathString> Prefixes { get; } = ["/generate", "/generate_stream", "/info"];

    /// <remarks>No closing mark: the last token has the whole text. An error is an item that has <c>error</c>. Its clients know <c>data:</c> without a blank.</remarks>
    public StreamFraming Framing { get; } = new ServerSentEvents(errorEvent: null, blank: false);

    public DialectError ErrorOf(LlmOsException refusal, string requestId)
    {
        var (status, type, prefix) = KindOf(refusal);
        return new DialectError(status, "application/json", new TgiError(prefix + TextOf(refusal), type));
    }

    /// <summary>The body has no place for the field, so the text names it.</summary>
    private static string TextOf(LlmOsException refusal) =>
        Refusals.TextOf(refusal) is var text && refusal.Field is { } field && !text.Contains(field, StringComparison.Ordinal) ? $"{field}: {text}" : text;

    private static (int Status, string Type, string Prefix) KindOf(LlmOsException refusal) => (refusal.Code, Refusals.StatusOf(refusal.Code)) switch
    {
        (ErrorCode.TemplateError, _) => (StatusCodes.Status422UnprocessableEntity, "template_error", "Template error: "),
        (_, StatusCodes.Status400BadRequest) => (StatusCodes.Status422UnprocessableEntity, "validation", "Input validation error: "),
        (ErrorCode.Overloaded, var status) => (status, "overloaded", "Model is overloaded: "),
        (ErrorCode.InternalError, var status) => (status, "incomplete_generation", "Incomplete generation: "),
        (ErrorCode.Unavailable, _) when refusal.InnerException is EngineClosedException => (StatusCodes.Status424FailedDependency, "generation", "Request failed during generation: "),
        (var code, var status) => (status, code.ToWord(), ""),
    };
}
