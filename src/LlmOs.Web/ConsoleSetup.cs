using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor.Services;

namespace LlmOs.Web;

/// <summary>
/// The console: pages for people, drawn in the server and kept alive over a web socket. It knows the platform through
/// <see cref="Contracts.LlmOsClient"/> alone; the host registers one that speaks for the person who is signed in.
/// </summary>
public static class ConsoleSetup
{
    /// <summary>Where the browser's circuit connects; one request that lasts as long as the page is open.</summary>
    public const string CircuitPath = "/_blazor";

    /// <summary>What a page of the console may load: its own files, and the styles that components set on elements.</summary>
    public const string PageSources =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; base-uri 'self'; form-action 'self'";

    public static IServiceCollection AddConsole(this IServiceCollection services)
    {
        services.AddRazorComponents().AddInteractiveServerComponents();
        services.AddCascadingAuthenticationState();
        services.AddMudServices();
        return services;
    }

    /// <returns>The endpoints of pages and circuit, for the host to say who may open them.</returns>
    public static IEndpointConventionBuilder MapConsole(this IEndpointRouteBuilder routes) =>
        routes.MapRazorComponents<App>().AddInteractiveServerRenderMode(options => options.ContentSecurityFrameAncestorsPolicy = null);
}
