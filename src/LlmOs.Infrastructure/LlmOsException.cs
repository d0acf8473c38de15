using LlmOs.Contracts;

namespace LlmOs.Infrastructure;

/// <summary>A refusal the caller can act on. The HTTP layer and the job loop turn it into an answer; nothing else may catch it.</summary>
public sealed class LlmOsException : Exception
{
    public LlmOsException(ErrorCode code, string message)
        : base(message) => Code = code;

    public LlmOsException(ErrorCode code, string message, Exception cause)
        : base(message, cause) => Code = code;

    public ErrorCode Code { get; }

    /// <summary>The request's field that is at fault, as the caller wrote it (<c>messages[0].role</c>); null when none is.</summary>
    public string? Field { get; init; }

    /// <summary>More of what was found; shown to the caller, so free of secrets and paths of this machine.</summary>
    public string? Detail { get; init; }

    /// <summary>What the caller may do next.</summary>
    public string? Hint { get; init; }

    /// <summary>When to try again, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Where several fields are at fault: what is wrong with each. Null when there is at most <see cref="Field"/>.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; init; }

    /// <summary>404 for something that was looked up by its name or id.</summary>
    /// <param name="list">The route that lists what there is; null where there is none.</param>
    /// <param name="field">The request's field that named it; null where the path did.</param>
    public static LlmOsException NotFound(string what, string id, string? list = null, string? field = null) =>
        new(ErrorCode.NotFound, $"There is no {what} '{Shown.Of(id)}'.") { Field = field, Hint = list is null ? null : $"GET {list} lists what there is." };

    /// <summary>400 for one field.</summary>
    public static LlmOsException Invalid(string field, string message) =>
        new(ErrorCode.InvalidRequest, message) { Field = field };
}
