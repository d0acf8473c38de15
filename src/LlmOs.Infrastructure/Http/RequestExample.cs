using Microsoft.AspNetCore.Builder;

namespace LlmOs.Infrastructure.Http;

/// <summary>Marks an endpoint's request body with an example for its documentation.</summary>
/// <param name="Json">The body, as a caller would send it.</param>
public sealed record RequestExample(string Json);

/// <summary>Documentation of endpoints.</summary>
public static class EndpointDocumentation
{
    /// <summary>An example body; every operation with a body has one, which a test sees to.</summary>
    public static T WithRequestExample<T>(this T endpoint, string json)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestExample(json));
}
