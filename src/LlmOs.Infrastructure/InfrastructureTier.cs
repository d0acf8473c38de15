using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Infrastructure;

/// <summary>Tier 1: compute, storage, access and jobs.</summary>
public static class InfrastructureTier
{
    public static IServiceCollection AddInfrastructure(this IServiceCollection services) => services;

    public static IEndpointRouteBuilder MapInfrastructure(this IEndpointRouteBuilder routes) => routes;
}
