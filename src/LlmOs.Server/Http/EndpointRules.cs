using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Http.Dialects;
using Microsoft.AspNetCore.Authorization;

namespace LlmOs.Server.Http;

/// <summary>
/// What every endpoint must state, checked before the first request: who may call it, and that it lies where its dialect
/// says that its paths are. Who adds an endpoint and forgets it gets a server that does not start.
/// </summary>
internal static class EndpointRules
{
    /// <exception cref="InvalidOperationException">An endpoint breaks a rule; the message names all that do.</exception>
    public static void RequireEndpointRules(this WebApplication app)
    {
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints);
        var faults = Faults(endpoints, app.Services.GetRequiredService<KnownDialects>()).ToList();
        if (faults.Count > 0)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, faults));
        }
    }

    /// <summary>A sentence for each rule that an endpoint breaks.</summary>
    public static IEnumerable<string> Faults(IEnumerable<Endpoint> endpoints, KnownDialects dialects)
    {
        foreach (var endpoint in endpoints.OfType<RouteEndpoint>())
        {
            if (endpoint.Metadata.GetMetadata<ScopeRule>() is null && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null)
            {
                yield return $"{endpoint.DisplayName} says neither who may call it (RequireScope) nor that it is open (AllowAnonymous).";
            }

            var path = new PathString("/" + endpoint.RoutePattern.RawText?.TrimStart('/'));
            var owner = dialects.OfPath(path);
            var spoken = endpoint.Metadata.GetMetadata<IDialect>() ?? PlatformDialect.Instance;
            if ((owner == PlatformDialect.Instance) != (spoken == PlatformDialect.Instance))
            {
                yield return $"{endpoint.DisplayName} speaks '{spoken.Name}', but its path is one of '{owner.Name}'; a dialect's Prefixes must hold the beginnings of all its paths and of no others.";
            }
        }
    }
}
