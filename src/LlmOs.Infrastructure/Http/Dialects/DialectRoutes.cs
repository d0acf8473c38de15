using LlmOs.Infrastructure.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Infrastructure.Http.Dialects;

/// <summary>Puts a dialect on its endpoints.</summary>
public static class DialectRoutes
{
    /// <summary>A group whose endpoints speak the dialect. Its paths are known from here on, also where no endpoint takes them.</summary>
    public static RouteGroupBuilder MapDialect<T>(this IEndpointRouteBuilder routes)
        where T : IDialect, new()
    {
        var dialect = new T();
        routes.ServiceProvider.GetRequiredService<KnownDialects>().Add(dialect);
        return routes.MapGroup("").WithMetadata(dialect);
    }

    /// <summary>Lets each endpoint of a group that says nothing of its callers state what its dialect asks for.</summary>
    internal static void StateScopes(this RouteGroupBuilder group) => ((IEndpointConventionBuilder)group).Finally(endpoint =>
    {
        if (!endpoint.Metadata.Any(metadata => metadata is ScopeRule or IAllowAnonymous))
        {
            var dialect = endpoint.Metadata.OfType<IDialect>().LastOrDefault() ?? PlatformDialect.Instance;
            var methods = endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault()?.HttpMethods ?? [];
            List<string> scopes = [.. methods.Select(dialect.ScopeOf).Distinct()];

            // An endpoint for methods that need different scopes is as closed as can be until it says more.
            endpoint.Metadata.Add(new ScopeRule(scopes is [var only] ? only : Scopes.Admin));
        }
    });
}
