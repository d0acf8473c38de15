using LlmOs.Apps.Running;
using LlmOs.Apps.Studio;
using LlmOs.Apps.Templates;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Apps;

/// <summary>Tier 4: templates and the applications made from them.</summary>
public static class AppsTier
{
    /// <summary>Registers the tier; a template of this library that is wrong stops the start here.</summary>
    public static IServiceCollection AddApps(this IServiceCollection services)
    {
        services.AddSingleton(TemplateCatalogue.Load());
        services.AddSingleton<ITableMap, AppTables>();
        services.AddSingleton<IModelUsers, AppModelUsers>();
        services.AddScoped<AppStudio>();
        services.AddSingleton<AppRunner>();
        return services;
    }

    public static IEndpointRouteBuilder MapApps(this IEndpointRouteBuilder routes)
    {
        AppEndpoints.MapApps(routes);
        return routes;
    }
}
