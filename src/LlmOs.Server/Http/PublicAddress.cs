using LlmOs.Infrastructure;
using Microsoft.AspNetCore.HttpOverrides;

namespace LlmOs.Server.Http;

/// <summary>
/// The address that people see when a proxy stands before the server: scheme, host, client and prefix from the headers of
/// proxies that are named in <c>LLMOS_PROXIES</c>, and the path of <c>LLMOS_BASE_PATH</c>. Everything within the server writes
/// addresses from its root; the root's path is put before them here.
/// </summary>
internal static class PublicAddress
{
    public static void AddPublicAddress(this IServiceCollection services, LlmOsSettings settings) =>
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in settings.Proxies)
            {
                forwarded.KnownIPNetworks.Add(network);
            }

            forwarded.ForwardLimit = null; // as far as named proxies reach
            forwarded.ForwardedHeaders = settings.Proxies.Count == 0 ? ForwardedHeaders.None : ForwardedHeaders.All;
        });

    public static void UsePublicAddress(this WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseMiddleware<BasePath>();
    }

    private sealed class BasePath(RequestDelegate next, LlmOsSettings settings)
    {
        private readonly PathString _stated = settings.BasePath;

        public Task InvokeAsync(HttpContext context)
        {
            // A proxy either keeps the path or cuts it off; both are taken. What it says in its header counts more.
            var root = context.Request.PathBase.HasValue ? context.Request.PathBase : _stated;
            if (!root.HasValue)
            {
                return next(context);
            }

            context.Request.PathBase = root;
            if (context.Request.Path.StartsWithSegments(root, out var rest))
            {
                context.Request.Path = rest;
            }

            context.Response.OnStarting(() =>
            {
                if (context.Response.Headers.Location.ToString() is ['/', not '/', ..] or "/")
                {
                    context.Response.Headers.Location = root + context.Response.Headers.Location.ToString();
                }

                return Task.CompletedTask;
            });
            return next(context);
        }
    }
}
