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

    /// <summary>The forms a value may have: the schema without its references, or each alternative of a union.</summary>
    public IReadOnlyList<JsonObject> Forms(JsonNode? schema)
    {
        while (schema?["$ref"] is { } reference)
        {
            schema = Root["components"]!["schemas"]![((string)reference!).Split('/')[^1]];
        }

        return schema switch
        {
            JsonObject { } one when (one["oneOf"] ?? one["anyOf"]) is JsonArray forms => [.. forms.SelectMany(Forms)],
            JsonObject { } one when one["allOf"] is JsonArray { Count: 1 } only => Forms(only[0]),
            JsonObject one => [one],
            _ => [],
        };
    }
}

/// <summary>One operation of the document.</summary>
internal sealed record Operation(OpenApiDocument Document, string Method, string Path, JsonObject Node)
{
    /// <summary>True when it says that it needs no key.</summary>
    public bool IsOpen => Node["security"] is JsonArray { Count: 0 };

    public bool TakesJson => Node["requestBody"]?["content"]?["application/json"] is not null;

    /// <summary>True when a form is all that it takes.</summary>
    public bool TakesFormOnly => Node["requestBody"]?["content"] is JsonObject { Count: 1 } types && types.ContainsKey("multipart/form-data");

    public JsonNode? BodyExample => Json?["example"] ?? BodyExamples?.First().Value?["value"];

    /// <summary>Bodies by what they are examples of, where there are several.</summary>
    public JsonObject? BodyExamples => Json?["examples"]?.AsObject();

    private JsonNode? Json => Node["requestBody"]?["content"]?["application/json"];

    /// <summary>Names of the query's parameters.</summary>
    public IEnumerable<string> QueryParameters =>
        (Node["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "query").Select(p => (string)p!["name"]!);

    /// <summary>Every word that the document states for a parameter of the query.</summary>
    public IEnumerable<(string Name, string Word)> QueryWords =>
        (Node["parameters"]?.AsArray() ?? []).Where(p => (string?)p!["in"] == "query")
            .SelectMany(p => Document.Forms(p!["schema"]).SelectMany(form => form["enum"]?.AsArray() ?? []).Select(word => ((string)p!["name"]!, (string)word!)));

    public JsonNode? BodySchema => Node["requestBody"]?["content"]?["application/json"]?["schema"];

    public override string ToString() => $"{Method} {Path}";
}
