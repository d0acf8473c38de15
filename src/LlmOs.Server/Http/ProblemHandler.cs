using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Http.Dialects;
using Microsoft.Net.Http.Headers;

namespace LlmOs.Server.Http;

/// <summary>
/// Turns whatever ends a request without an answer into one: refusals, bad bodies, statuses that the framework set, and
/// bugs. It is written in the dialect of the endpoint, or of the path where there is no endpoint.
/// </summary>
internal sealed partial class ProblemHandler(RequestDelegate next, KnownDialects dialects, IEnumerable<IKnownFaults> known, ILogger<ProblemHandler> log)
{
    /// <summary>Set by who refuses with a status alone but knows more.</summary>
    public const string RefusalKey = "llmos.refusal";

    private const int ClientClosedRequest = 499;

    /// <summary>What was said beside a refusal and belongs to it.</summary>
    private static readonly string[] KeptHeaders =
        [HeaderNames.Allow, HeaderNames.RetryAfter, HeaderNames.WWWAuthenticate, HeaderNames.AcceptEncoding, HeaderNames.Connection];

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

    /// <summary>Whatever is thrown, it becomes a refusal; should its description fail, that is a bug like any other.</summary>
    private LlmOsException OfFailure(Exception failure, HttpContext context)
    {
        try
        {
            if (Describe(failure, context) is { } refusal)
            {
                return refusal;
            }

            LogBug(failure);
        }
        catch (Exception fault)
        {
            LogBug(new AggregateException(failure, fault));
        }

        return Bug(context);
    }

    /// <summary>Null for a bug.</summary>
    private LlmOsException? Describe(Exception failure, HttpContext context) => failure switch
    {
        BadHttpRequestException bad => BadRequests.Describe(bad, context.Request),
        JsonException json => BadRequests.Describe(json),
        _ => known.AsRefusal(failure),
    };

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

        var (method, path) = (context.Request.Method, context.Request.Path.HasValue ? context.Request.Path.Value : "*"); // OPTIONS * has no path
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

    private async Task WriteAsync(HttpContext context, LlmOsException refusal)
    {
        var response = context.Response;
        var error = ErrorOf(context, refusal);
        var kept = KeptHeaders.Select(name => (Name: name, Value: response.Headers[name])).Where(header => header.Value.Count > 0).ToList();
        response.Clear();
        response.StatusCode = error.Status;
        kept.ForEach(header => response.Headers[header.Name] = header.Value);
        if (response.StatusCode is 429 or 503 && response.Headers.RetryAfter.Count == 0)
        {
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(refusal.RetryAfter?.TotalSeconds ?? 1)).ToString(CultureInfo.InvariantCulture);
        }

        response.Headers.CacheControl = "no-store";
        await response.WriteAsJsonAsync(error.Body, error.Body.GetType(), LlmOsJson.Options, error.ContentType, context.RequestAborted);
    }

    /// <summary>The refusal in the dialect of its request; should that fail, in the platform's own, so that there is an answer.</summary>
    private DialectError ErrorOf(HttpContext context, LlmOsException refusal)
    {
        try
        {
            return dialects.Of(context).ErrorOf(refusal, context.TraceIdentifier);
        }
        catch (Exception fault)
        {
            LogBug(fault);
            return PlatformDialect.Instance.ErrorOf(Bug(context), context.TraceIdentifier);
        }
    }

    private static LlmOsException Bug(HttpContext context) => new(ErrorCode.InternalError, "The server failed at this request.")
    {
        Hint = $"Its log names the cause beside the request id {context.TraceIdentifier}.",
    };

    [LoggerMessage(LogLevel.Error, "A request failed for a reason that is no refusal")]
    private partial void LogBug(Exception cause);

    [LoggerMessage(LogLevel.Error, "An answer broke off after it had begun")]
    private partial void LogBrokenAnswer(Exception cause);
}
