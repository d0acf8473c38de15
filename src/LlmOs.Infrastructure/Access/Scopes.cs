using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;

namespace LlmOs.Infrastructure.Access;

/// <summary>What a key may do.</summary>
public static partial class Scopes
{
    /// <summary>Everything.</summary>
    public const string Admin = "admin";

    /// <summary>Run models, in whichever dialect.</summary>
    public const string Inference = "inference";

    /// <summary>Look at everything, change nothing.</summary>
    public const string Read = "read";

    /// <summary>What is said of a scope that does not exist.</summary>
    internal const string Expected = "scopes: expected some of admin, inference, read, app:{slug}.";

    /// <summary>Use one app.</summary>
    public static string App(string slug) => $"app:{slug}";

    public static bool IsKnown(string scope) => scope is Admin or Inference or Read || AppScope().IsMatch(scope);

    [GeneratedRegex("^app:[a-z0-9][a-z0-9-]{0,62}$")]
    private static partial Regex AppScope();
}

/// <summary>The scopes of which a caller needs one; <see cref="Scopes.Admin"/> always suffices.</summary>
/// <param name="AnyOf">A scope may hold a route value: <c>app:{slug}</c>.</param>
public sealed record ScopeRule(params IReadOnlyList<string> AnyOf);

/// <summary>Says on an endpoint or group who may call it.</summary>
public static class ScopeRules
{
    /// <summary>Replaces what the endpoint's dialect asks for.</summary>
    public static T RequireScope<T>(this T endpoint, params string[] anyOf)
        where T : IEndpointConventionBuilder => endpoint.WithMetadata(new ScopeRule(anyOf));
}
