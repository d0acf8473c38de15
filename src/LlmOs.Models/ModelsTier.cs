using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models;

/// <summary>Tier 2: the registry and everything that runs a model.</summary>
public static class ModelsTier
{
    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddRegistry();
        return services;
    }

    public static IEndpointRouteBuilder MapModels(this IEndpointRouteBuilder routes)
    {
        routes.MapRegistry();
        return routes;
    }

    private static void AddRegistry(this IServiceCollection services)
    {
        services.AddSingleton<ITableMap, RegistryTables>();
        services.AddSingleton<ServingGraphs>();
        services.AddSingleton<ModelIntake>();
        services.AddSingleton<ModelRegistry>();
        services.AddSingleton<StarterRegistration>();
        services.AddSingleton<IJobRunner, ModelImporter>();
    }
}
