using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Server.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace LlmOs.Server.Http;

/// <summary>Refuses new work while the host stops.</summary>
internal sealed class DrainGate(RequestDelegate next, HostDrain drain)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (!drain.IsDraining || Health.IsProbe(context.Request.Path))
        {
            return next(context);
        }

        context.Response.Headers.RetryAfter = "5";
        context.Response.Headers.Connection = "close";
        throw HostDrain.Refusal();
    }
}

/// <summary>Ends what is still being answered when the time for it is over: the request is cancelled as if its client had left, and told why.</summary>
internal sealed class CutOffGate(RequestDelegate next, HostDrain drain)
{
    public async Task InvokeAsync(HttpContext context)
    {
        var left = context.RequestAborted;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(left, drain.CutOff);
        context.RequestAborted = ending.Token;
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (drain.IsCutOff && !left.IsCancellationRequested)
        {
            context.Response.Headers.RetryAfter = "5";
            throw HostDrain.Refusal();
        }
        finally
        {
            context.RequestAborted = left;
        }
    }
}

/// <summary>Lets a wrong method on a path that is open say so: its refusal belongs to no route that could say that it is open.</summary>
internal sealed class OpenPaths(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint() is { RequestDelegate: { } refuse } and not RouteEndpoint && IsOpen(context.Request.Path)
            ? refuse(context)
            : next(context);

    private static bool IsOpen(PathString path) => Health.IsProbe(path) || path == "/login" || path == "/logout";
}

/// <summary>Refuses work until the database is ready: the address is bound before it.</summary>
internal sealed class StartingGate(RequestDelegate next, StartGate gate)
{
    public Task InvokeAsync(HttpContext context) => gate.IsOpen || Health.IsProbe(context.Request.Path)
        ? next(context)
        : throw new LlmOsException(ErrorCode.Unavailable, "The server is starting: its database is being prepared.") { Hint = "Send the request again in a few seconds; GET /readyz says when it is ready." };
}

/// <summary>True where keys are switched off.</summary>
internal sealed record OpenDoor(bool IsOpen);

/// <summary>
/// Without keys, a web page in this machine's browser must not be able to use the server: neither from its own origin,
/// nor by giving its name this machine's address.
/// </summary>
internal sealed class OpenDoorGuard(RequestDelegate next, OpenDoor door, LlmOsSettings settings)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (door.IsOpen && !(Addresses.IsLoopback(context.Request.Host.Host) && IsKnownOrigin(context.Request)))
        {
            throw new LlmOsException(ErrorCode.NotAllowed, "Keys are off, so only this machine itself is answered: Host must be a loopback address, and a page must be one of this server.")
            {
                Hint = "Start the server with keys (LLMOS_AUTH=on) to reach it under another name; LLMOS_CORS names other pages that may call.",
            };
        }

        return next(context);
    }

    /// <summary>No page at all, a page of this server, or one of a stated origin. Another program's page on this machine is none of them.</summary>
    private bool IsKnownOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase))
            || settings.Cors.Contains(origin, StringComparer.OrdinalIgnoreCase);
    }
}

/// <summary>
/// Refuses a body that says it is too long before it is read. What the caller is already sending is read and dropped, so
/// that the answer arrives instead of a broken connection.
/// </summary>
internal sealed class BodyLimit(RequestDelegate next)
{
    private const long MaxDroppedBytes = 256 << 20;

    public async Task InvokeAsync(HttpContext context)
    {
        var limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (limit is { IsReadOnly: false, MaxRequestBodySize: { } max } && context.Request.ContentLength > max)
        {
            if (context.Request.ContentLength <= MaxDroppedBytes)
            {
                limit.MaxRequestBodySize = MaxDroppedBytes;
                await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            }

            throw new LlmOsException(ErrorCode.RequestTooLarge, $"The body has {context.Request.ContentLength} bytes; at most {max} are accepted here.");
        }

        await next(context);
    }
}
