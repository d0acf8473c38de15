using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Models;

/// <summary>Tier 2: the registry and everything that runs a model.</summary>
public static class ModelsTier
{
    public static IServiceCollection AddModels(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapModels(this IEndpointRouteBuilder routes) => routes;
}
