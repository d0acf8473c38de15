using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Compute;
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
        throw new LlmOsException(ErrorCode.Unavailable, "The server is stopping.") { Hint = "Send the request again in a few seconds." };
    }
}

/// <summary>True where keys are switched off.</summary>
internal sealed record OpenDoor(bool IsOpen);

/// <summary>
/// Without keys, a web page in this machine's browser must not be able to use the server: neither from its own origin,
/// nor by giving its name this machine's address.
/// </summary>
internal sealed class OpenDoorGuard(RequestDelegate next, OpenDoor door)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (door.IsOpen && !(Addresses.IsLoopback(context.Request.Host.Host) && IsOwnOrigin(context.Request.Headers.Origin.ToString())))
        {
            throw new LlmOsException(ErrorCode.NotAllowed, "Keys are off, so only this machine itself is answered: Host and Origin must be loopback addresses.")
            {
                Hint = "Start the server with keys (LLMOS_AUTH=on) to reach it under another name.",
            };
        }

        return next(context);
    }

    private static bool IsOwnOrigin(string origin) =>
        origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && Addresses.IsLoopback(uri.Host));
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
