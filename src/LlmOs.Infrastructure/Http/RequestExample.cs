using Microsoft.AspNetCore.Builder;

namespace LlmOs.Infrastructure.Http;

/// <summary>Marks an endpoint's request body with an example for its documentation.</summary>
/// <param name="Json">The body, as a caller would send it.</param>
/// <param name="Name">What it is an example of, where an operation has several; null: of the operation itself.</param>
public sealed record RequestExample(string Json, string? Name = null);

/// <summary>Documentation of endpoints.</summary>
public static class EndpointDocumentation
{
    /// <summary>An example body. A test fails for an operation that takes a body and has none.</summary>
    public static T WithRequestExample<T>(this T endpoint, string json)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new RequestExample(json));

    /// <summary>Example bodies for an operation that takes different ones, by what each is an example of; the first stands for the operation.</summary>
    public static T WithRequestExamples<T>(this T endpoint, IEnumerable<(string Name, string Json)> examples)
        where T : IEndpointConventionBuilder =>
        endpoint.WithMetadata([.. examples.Select(example => new RequestExample(example.Json, example.Name))]);
}
