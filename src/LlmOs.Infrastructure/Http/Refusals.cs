using LlmOs.Contracts;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Infrastructure.Http;

/// <summary>What a refusal looks like outside: codes as statuses, and the platform's own body. Dialects that say it otherwise build on these.</summary>
public static class Refusals
{
    /// <summary>The HTTP status of a refusal.</summary>
    /// <remarks>No default branch: a code that is forgotten here does not compile.</remarks>
    public static int StatusOf(ErrorCode code) => code switch
    {
        ErrorCode.InvalidRequest or ErrorCode.InvalidJson or ErrorCode.ContextLengthExceeded or ErrorCode.NoTokenizer
            or ErrorCode.TemplateError or ErrorCode.UnsupportedTask or ErrorCode.UnsupportedArchitecture or ErrorCode.UnsupportedFormat
            or ErrorCode.CorruptFile or ErrorCode.MissingFile or ErrorCode.HashMismatch or ErrorCode.TooLarge or ErrorCode.ParityFailed
            => StatusCodes.Status400BadRequest,
        ErrorCode.InvalidApiKey => StatusCodes.Status401Unauthorized,
        ErrorCode.PermissionDenied or ErrorCode.NotAllowed => StatusCodes.Status403Forbidden,
        ErrorCode.NotFound or ErrorCode.ModelNotFound => StatusCodes.Status404NotFound,
        ErrorCode.MethodNotAllowed => StatusCodes.Status405MethodNotAllowed,
        ErrorCode.Conflict or ErrorCode.DependencyFailed => StatusCodes.Status409Conflict,
        ErrorCode.PreconditionFailed => StatusCodes.Status412PreconditionFailed,
        ErrorCode.RequestTooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorCode.UnsupportedMediaType => StatusCodes.Status415UnsupportedMediaType,
        ErrorCode.Overloaded => StatusCodes.Status429TooManyRequests,
        ErrorCode.Unavailable or ErrorCode.OutOfMemory => StatusCodes.Status503ServiceUnavailable,
        ErrorCode.Timeout => StatusCodes.Status504GatewayTimeout,
        ErrorCode.TrainerUnavailable => StatusCodes.Status501NotImplemented,
        ErrorCode.OutOfDisk => StatusCodes.Status507InsufficientStorage,
        ErrorCode.TrainerCrashed or ErrorCode.HostLost or ErrorCode.InternalError => StatusCodes.Status500InternalServerError,
    };

    /// <summary>All that a refusal says, in one text; never empty.</summary>
    public static string TextOf(LlmOsException refusal) =>
        string.Join(' ', new[] { refusal.Message, refusal.Detail, refusal.Hint }.Where(part => !string.IsNullOrEmpty(part))) is { Length: > 0 } text
            ? text
            : Title(refusal.Code) + ".";

    /// <summary>The body as a problem document.</summary>
    public static ProblemReply ToProblem(LlmOsException refusal, string requestId) => new(
        "about:blank",
        Title(refusal.Code),
        StatusOf(refusal.Code),
        TextOf(refusal),
        refusal.Code.ToWord(),
        refusal.Errors ?? (refusal.Field is null ? null : new Dictionary<string, string[]> { [refusal.Field] = [WithoutName(refusal)] }),
        requestId);

    /// <summary>A message beside its field need not name it again.</summary>
    private static string WithoutName(LlmOsException refusal) =>
        refusal.Message.StartsWith($"{refusal.Field}: ", StringComparison.Ordinal) ? refusal.Message[(refusal.Field!.Length + 2)..] : refusal.Message;

    private static string Title(ErrorCode code)
    {
        var word = code.ToWord().Replace('_', ' ');
        return char.ToUpperInvariant(word[0]) + word[1..];
    }
}
