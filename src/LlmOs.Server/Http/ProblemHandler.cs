using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Server.Http;

/// <summary>
/// Turns whatever ends a request without an answer into one: refusals, bad bodies, statuses that the framework set, and
/// bugs. Under <c>/v1</c>, <c>/pipeline</c> and <c>/models</c> in OpenAI's shape, elsewhere as a problem document.
/// </summary>
internal sealed partial class ProblemHandler(RequestDelegate next, ILogger<ProblemHandler> log)
{
    /// <summary>Set by who refuses with a status alone but knows more.</summary>
    public const string RefusalKey = "llmos.refusal";

    private const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext context)
    {
        LlmOsException? refusal;
        try
        {
            await next(context);
            refusal = OfStatus(context);
        }
        catch (Exception failure) when (!context.Response.HasStarted)
        {
            if (failure is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
            {
                context.Response.StatusCode = ClientClosedRequest; // nobody reads it, but the log does
                return;
            }

            refusal = OfFailure(failure, context);
        }
        catch (Exception failure)
        {
            if (!context.RequestAborted.IsCancellationRequested)
            {
                // Half an answer is out: cutting the connection is the only way left to say that it is not whole.
                LogBrokenAnswer(failure);
                context.Abort();
            }

            return;
        }

        if (refusal is not null)
        {
            await WriteAsync(context, refusal);
        }
    }

    private LlmOsException OfFailure(Exception failure, HttpContext context)
    {
        switch (failure)
        {
            case LlmOsException refusal:
                return refusal;
            case BadHttpRequestException bad:
                return BadRequests.Describe(bad, context.Request);
            case JsonException json:
                return BadRequests.Describe(json);
            case TokenizerFormatException fault:
                return new LlmOsException(ErrorCode.UnsupportedFormat, $"The model's tokenizer cannot encode this text: {fault.Message}", fault);
            default:
                LogBug(failure);
                return new LlmOsException(ErrorCode.InternalError, "The server failed at this request.")
                {
                    Hint = $"Its log names the cause beside the request id {context.TraceIdentifier}.",
                };
        }
    }

    /// <summary>A refusal for an answer that is only a status; null when there is a body or nothing was refused.</summary>
    private static LlmOsException? OfStatus(HttpContext context)
    {
        var response = context.Response;
        if (response.HasStarted || response.StatusCode < 400 || response.ContentLength > 0 || !string.IsNullOrEmpty(response.ContentType))
        {
            return null;
        }

        if (context.Items[RefusalKey] is LlmOsException known)
        {
            return known;
        }

        var (method, path) = (context.Request.Method, context.Request.Path);
        return response.StatusCode switch
        {
            400 => new LlmOsException(ErrorCode.InvalidRequest, "The request could not be read."),
            401 => new LlmOsException(ErrorCode.InvalidApiKey, "A key is needed.") { Hint = "Send it as 'Authorization: Bearer llmos_sk_...'." },
            403 => new LlmOsException(ErrorCode.PermissionDenied, $"The key may not {method} {path}.") { Hint = "Use a key with the scope that this needs, or admin." },
            404 => new LlmOsException(ErrorCode.NotFound, $"There is no {path}.") { Hint = "/swagger lists what there is." },
            405 => new LlmOsException(ErrorCode.MethodNotAllowed, $"{path} does not take {method}; it takes {response.Headers.Allow}."),
            413 => new LlmOsException(ErrorCode.RequestTooLarge, "The body is larger than is accepted here."),
            415 => new LlmOsException(ErrorCode.UnsupportedMediaType, $"The content type '{context.Request.ContentType}' is not accepted here.") { Hint = "Send application/json, or what the documentation of the route names." },
            429 => new LlmOsException(ErrorCode.Overloaded, "Too many requests at once.") { Hint = "Wait and send it again." },
            503 => new LlmOsException(ErrorCode.Unavailable, "The server is not available right now."),
            _ => null,
        };
    }

    private static async Task WriteAsync(HttpContext context, LlmOsException refusal)
    {
        var response = context.Response;
        var (allow, retry, challenge) = (response.Headers.Allow, response.Headers.RetryAfter, response.Headers.WWWAuthenticate);
        response.Clear();
        response.StatusCode = Refusals.StatusOf(refusal.Code);
        (response.Headers.Allow, response.Headers.RetryAfter, response.Headers.WWWAuthenticate) = (allow, retry, challenge);
        if (response.StatusCode is 429 or 503 && retry.Count == 0)
        {
            response.Headers.RetryAfter = "1";
        }

        response.Headers.CacheControl = "no-store";
        if (SpeaksOpenAi(context.Request.Path))
        {
            await response.WriteAsJsonAsync(Refusals.ToOpenAi(refusal), LlmOsJson.Options, "application/json; charset=utf-8", context.RequestAborted);
        }
        else
        {
            await response.WriteAsJsonAsync(Refusals.ToProblem(refusal, context.TraceIdentifier), LlmOsJson.Options, "application/problem+json", context.RequestAborted);
        }
    }

    internal static bool SpeaksOpenAi(PathString path) => Array.Exists(OpenAiPaths, begin => path.StartsWithSegments(begin, StringComparison.Ordinal));

    private static readonly PathString[] OpenAiPaths = ["/v1", "/pipeline", "/models", "/tokenize", "/detokenize", "/apply-template"];

    [LoggerMessage(LogLevel.Error, "A request failed for a reason that is no refusal")]
    private partial void LogBug(Exception cause);

    [LoggerMessage(LogLevel.Error, "An answer broke off after it had begun")]
    private partial void LogBrokenAnswer(Exception cause);
}
