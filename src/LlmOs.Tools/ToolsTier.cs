using LlmOs.Infrastructure.Jobs;
using LlmOs.Tools.Training;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Tools;

/// <summary>Tier 3: what makes and judges models.</summary>
public static class ToolsTier
{
    public static IServiceCollection AddTools(this IServiceCollection services)
    {
        services.AddSingleton<IJobRunner, TrainingRunner>();
        services.AddSingleton<IJobSpec, TrainingJobSpec>();
        return services;
    }

    public static IEndpointRouteBuilder MapTools(this IEndpointRouteBuilder routes)
    {
        routes.MapTraining();
        return routes;
    }
}
