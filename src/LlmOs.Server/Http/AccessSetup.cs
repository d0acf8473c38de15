using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace LlmOs.Server.Http;

/// <summary>Who may do what. Whatever does not say that it is open is closed.</summary>
internal static class AccessSetup
{
    public static void AddAccess(this IServiceCollection services)
    {
        services.AddAuthentication(KeyAuthentication.Name)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.Name, null)
            .AddCookie(KeyAuthentication.Session, cookie =>
            {
                cookie.Cookie.Name = "llmos_session";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Strict;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                cookie.ExpireTimeSpan = TimeSpan.FromHours(12);
            });
        services.AddDataProtection().SetApplicationName("LlmOs");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(provider => new ConfigureOptions<KeyManagementOptions>(keys =>
            keys.XmlRepository = new FileSystemXmlRepository(
                new DirectoryInfo(provider.GetRequiredService<DataFolder>().Keys), provider.GetRequiredService<ILoggerFactory>())));

        services.AddSingleton<IAuthorizationHandler, AccessHandler>();
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder(KeyAuthentication.Name)
            .RequireAuthenticatedUser()
            .AddRequirements(new AccessRequirement())
            .Build());
    }
}

/// <summary>The caller has a scope that the endpoint asks for.</summary>
internal sealed class AccessRequirement : IAuthorizationRequirement;

internal sealed class AccessHandler : AuthorizationHandler<AccessRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, AccessRequirement requirement)
    {
        if (context.Resource is HttpContext http && IsAllowed(http, [.. context.User.FindAll(KeyAuthentication.ScopeClaim).Select(claim => claim.Value)]))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    private static bool IsAllowed(HttpContext http, IReadOnlyList<string> held)
    {
        if (held.Contains(Scopes.Admin))
        {
            return true;
        }

        // The documentation, what does not exist, and the framework's own endpoints that say so (405, 415): they are no routes.
        if (http.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return held.Count > 0;
        }

        // A route that states nothing is for nobody but admin; EndpointRules keeps the server from starting with one.
        var wanted = endpoint.Metadata.GetMetadata<ScopeRule>()?.AnyOf ?? [];
        return wanted.Any(scope => held.Contains(Filled(scope, http.Request.RouteValues)));
    }

    /// <summary><c>app:{slug}</c> with the slug of this request.</summary>
    private static string Filled(string scope, RouteValueDictionary values)
    {
        var (open, close) = (scope.IndexOf('{', StringComparison.Ordinal), scope.IndexOf('}', StringComparison.Ordinal));
        return open < 0 || close < open ? scope : $"{scope[..open]}{values[scope[(open + 1)..close]]}{scope[(close + 1)..]}";
    }
}
