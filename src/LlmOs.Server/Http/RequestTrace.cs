using System.Globalization;
using System.Security.Cryptography;
using LlmOs.Server.Hosting;
using LlmOs.Web;
using Serilog.Context;

namespace LlmOs.Server.Http;

/// <summary>Gives each request an id, its answer the common headers, and the log one line of it.</summary>
internal sealed partial class RequestTrace(RequestDelegate next, RunningRequests running, TimeProvider clock, ILogger<RequestTrace> log)
{
    private const string PageSources =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

    public async Task InvokeAsync(HttpContext context)
    {
        var began = clock.GetTimestamp();
        context.TraceIdentifier = IdOf(context.Request);
        context.Response.OnStarting(() =>
        {
            var headers = context.Response.Headers;
            headers["x-request-id"] = context.TraceIdentifier;
            headers["openai-processing-ms"] = clock.GetElapsedTime(began).TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin"; // without it, a browser calls a form's origin null
            if (context.Response.ContentType?.StartsWith("text/html", StringComparison.OrdinalIgnoreCase) == true && !headers.ContainsKey("Content-Security-Policy"))
            {
                headers.ContentSecurityPolicy = PageSources;
                headers.XFrameOptions = "DENY";
            }

            return Task.CompletedTask;
        });

        // The framework's own RequestId is the connection's; this one is what the caller was told.
        using (LogContext.PushProperty("request_id", context.TraceIdentifier))
        {
            // A page that is open is no answer to wait for: its circuit ends with the server.
            var counts = !context.Request.Path.StartsWithSegments(ConsoleSetup.CircuitPath);
            if (counts)
            {
                running.Enter();
            }

            try
            {
                await next(context);
            }
            finally
            {
                if (counts)
                {
                    running.Leave();
                }

                if (!Health.IsProbe(context.Request.Path))
                {
                    LogAnswered(context.Request.Method, context.Request.Path, context.Response.StatusCode, clock.GetElapsedTime(began).TotalMilliseconds);
                }
            }
        }
    }

    /// <summary>The caller's own id where it is harmless in a header and a log, else a new one.</summary>
    private static string IdOf(HttpRequest request)
    {
        var stated = request.Headers["x-request-id"].ToString();
        return stated.Length is > 0 and <= 128 && stated.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? stated
            : $"req_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";
    }

    [LoggerMessage(LogLevel.Information, "{Method} {Path} answered {Status} after {Milliseconds:F1} ms")]
    private partial void LogAnswered(string method, string path, int status, double milliseconds);
}
