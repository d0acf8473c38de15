using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Http;

/// <summary>What a refusal looks like outside: the one place where codes become statuses.</summary>
public static class Refusals
{
    /// <summary>The HTTP status of a refusal.</summary>
    public static int StatusOf(ErrorCode code) => Of(code).Status;

    /// <summary>The word in OpenAI's <c>error.type</c>.</summary>
    public static string TypeOf(ErrorCode code) => Of(code).Type;

    /// <summary>The body in OpenAI's shape, for an answer or for an error within a stream.</summary>
    public static ErrorBody ToOpenAi(LlmOsException refusal) =>
        new(new ErrorDetail(Text(refusal), TypeOf(refusal.Code), refusal.Field, refusal.Code.ToWord()));

    /// <summary>The body as a problem document.</summary>
    public static ProblemReply ToProblem(LlmOsException refusal, string requestId) => new(
        "about:blank",
        Title(refusal.Code),
        StatusOf(refusal.Code),
        Text(refusal),
        refusal.Code.ToWord(),
        refusal.Errors ?? (refusal.Field is null ? null : new Dictionary<string, string[]> { [refusal.Field] = [WithoutName(refusal)] }),
        requestId);

    private static string Text(LlmOsException refusal) =>
        string.Join(' ', new[] { refusal.Message, refusal.Detail, refusal.Hint }.Where(part => !string.IsNullOrEmpty(part)));

    /// <summary>A message beside its field need not name it again.</summary>
    private static string WithoutName(LlmOsException refusal) =>
        refusal.Message.StartsWith($"{refusal.Field}: ", StringComparison.Ordinal) ? refusal.Message[(refusal.Field!.Length + 2)..] : refusal.Message;

    private static string Title(ErrorCode code)
    {
        var word = code.ToWord().Replace('_', ' ');
        return char.ToUpperInvariant(word[0]) + word[1..];
    }

    /// <remarks>No default branch: a code that is forgotten here does not compile.</remarks>
    private static (int Status, string Type) Of(ErrorCode code) => code switch
    {
        ErrorCode.InvalidRequest or ErrorCode.InvalidJson or ErrorCode.ContextLengthExceeded or ErrorCode.NoTokenizer
            or ErrorCode.TemplateError or ErrorCode.UnsupportedTask or ErrorCode.UnsupportedArchitecture or ErrorCode.UnsupportedFormat
            or ErrorCode.CorruptFile or ErrorCode.MissingFile or ErrorCode.HashMismatch or ErrorCode.TooLarge or ErrorCode.ParityFailed
            => (StatusCodes.Status400BadRequest, "invalid_request_error"),
        ErrorCode.InvalidApiKey => (StatusCodes.Status401Unauthorized, "authentication_error"),
        ErrorCode.PermissionDenied or ErrorCode.NotAllowed => (StatusCodes.Status403Forbidden, "permission_error"),
        ErrorCode.NotFound or ErrorCode.ModelNotFound => (StatusCodes.Status404NotFound, "not_found_error"),
        ErrorCode.MethodNotAllowed => (StatusCodes.Status405MethodNotAllowed, "invalid_request_error"),
        ErrorCode.Conflict or ErrorCode.DependencyFailed => (StatusCodes.Status409Conflict, "conflict"),
        ErrorCode.PreconditionFailed => (StatusCodes.Status412PreconditionFailed, "conflict"),
        ErrorCode.RequestTooLarge => (StatusCodes.Status413PayloadTooLarge, "invalid_request_error"),
        ErrorCode.UnsupportedMediaType => (StatusCodes.Status415UnsupportedMediaType, "invalid_request_error"),
        ErrorCode.Overloaded => (StatusCodes.Status429TooManyRequests, "rate_limit_error"),
        ErrorCode.Unavailable or ErrorCode.OutOfMemory => (StatusCodes.Status503ServiceUnavailable, "overloaded"),
        ErrorCode.TrainerUnavailable => (StatusCodes.Status501NotImplemented, "server_error"),
        ErrorCode.OutOfDisk => (StatusCodes.Status507InsufficientStorage, "server_error"),
        ErrorCode.TrainerCrashed or ErrorCode.HostLost or ErrorCode.InternalError => (StatusCodes.Status500InternalServerError, "server_error"),
    };
}
