using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Apps;

/// <summary>Tier 4: templates and the applications made from them.</summary>
public static class AppsTier
{
    public static IServiceCollection AddApps(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapApps(this IEndpointRouteBuilder routes) => routes;
}
