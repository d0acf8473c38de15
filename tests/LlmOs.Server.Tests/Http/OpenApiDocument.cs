using System.Text.Json.Nodes;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

/// <summary>The OpenAPI document of a running server, as tests walk it.</summary>
internal sealed class OpenApiDocument
{
    private static readonly string[] Methods = ["get", "put", "post", "delete", "patch", "head", "options"];

    private OpenApiDocument(JsonObject root)
    {
        Root = root;
        Operations = [.. root["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
            .Where(entry => Methods.Contains(entry.Key))
            .Select(entry => new Operation(this, entry.Key.ToUpperInvariant(), path.Key, entry.Value!.AsObject())))];
    }

    public JsonObject Root { get; }

    public IReadOnlyList<Operation> Operations { get; }

    public static async Task<OpenApiDocument> ReadAsync(ServerProcess server)
    {
        using var client = server.Client();
        return new OpenApiDocument(JsonNode.Parse(await client.GetStringAsync("/swagger/v1/swagger.json"))!.AsObject());
    }

    /// <summary>A schema without its references, one level deep.</summary>
    public JsonObject? Resolve(JsonNode? schema)
    {
        while (schema?["$ref"] is { } reference)
        {
            schema = Root["components"]!["schemas"]![((string)reference!).Split('/')[^1]];
        }

        return schema?["allOf"] is JsonArray { Count: 1 } only ? Resolve(only[0]) : schema as JsonObject;
    }
}

/// <summary>One operation of the document.</summary>
internal sealed record Operation(OpenApiDocument Document, string Method, string Path, JsonObject Node)
{
    /// <summary>True when it says that it needs no key.</summary>
    public bool IsOpen => Node["security"] is JsonArray { Count: 0 };

    public bool TakesJson => Node["requestBody"]?["content"]?["application/json"] is not null;

    public JsonNode? BodyExample => Node["requestBody"]?["content"]?["application/json"]?["example"];

    /// <summary>Names of the query's parameters.</summary>
    public IEnumerable<string> QueryParameters =>
        (Node["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!);

    /// <summary>Names of the body's own fields, whether or not the example has them.</summary>
    public IEnumerable<string> BodyFields =>
        Document.Resolve(Node["requestBody"]?["content"]?["application/json"]?["schema"])?["properties"]?.AsObject().Select(p => p.Key) ?? [];

    public override string ToString() => $"{Method} {Path}";
}
