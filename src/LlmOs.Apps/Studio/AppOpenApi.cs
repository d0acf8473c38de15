using System.Text.Json.Nodes;
using LlmOs.Apps.Templates;
using LlmOs.Contracts;

namespace LlmOs.Apps.Studio;

/// <summary>The OpenAPI document of one app: its one operation, with the inputs of its template spelt out.</summary>
internal static class AppOpenApi
{
    public static JsonObject Of(App app, AppTemplate template, string server) => new()
    {
        ["openapi"] = "3.0.4",
        ["info"] = new JsonObject { ["title"] = template.Title, ["description"] = template.Description, ["version"] = "v1" },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = server }),
        ["security"] = new JsonArray(new JsonObject { ["key"] = new JsonArray() }),
        ["paths"] = new JsonObject { [$"/api/v1/apps/{app.Slug}/invoke"] = new JsonObject { ["post"] = Operation(template) } },
        ["components"] = new JsonObject
        {
            ["securitySchemes"] = new JsonObject { ["key"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer", ["description"] = "The app's key." } },
            ["schemas"] = new JsonObject { ["Request"] = Request(template), ["Reply"] = Reply(template), ["Problem"] = Problem() },
        },
    };

    private static JsonObject Operation(AppTemplate template) => new()
    {
        ["operationId"] = "invoke",
        ["summary"] = template.Title,
        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json("Request") },
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "The answer; with stream, server-sent events that carry its pieces and end with [DONE].",
                ["content"] = new JsonObject
                {
                    ["application/json"] = Json("Reply")["application/json"]!.DeepClone(),
                    ["text/event-stream"] = new JsonObject { ["schema"] = new JsonObject { ["type"] = "string" } },
                },
            },
            ["400"] = Refusal("An input is missing or wrong; errors names it."),
            ["401"] = Refusal("No key, or not the key of this app."),
            ["429"] = Refusal("Too much waits already."),
        },
    };

    private static JsonObject Request(AppTemplate template)
    {
        var properties = new JsonObject();
        foreach (var input in template.Inputs.Select(i => i.ToView()))
        {
            properties[input.Name] = Input(input);
        }

        return new JsonObject
        {
            ["type"] = "object",
            ["required"] = new JsonArray("inputs"),
            ["properties"] = new JsonObject
            {
                ["inputs"] = new JsonObject
                {
                    ["type"] = "object",
                    ["required"] = new JsonArray([.. template.Inputs.Where(i => i.Default is null).Select(i => (JsonNode)i.Name)]),
                    ["properties"] = properties,
                    ["additionalProperties"] = false,
                },
                ["stream"] = new JsonObject { ["type"] = "boolean", ["default"] = false },
            },
        };
    }

    private static JsonObject Input(TemplateInputView input)
    {
        var schema = new JsonObject
        {
            ["type"] = input.Type switch
            {
                TemplateInputType.WholeNumber => "integer",
                TemplateInputType.Number => "number",
                TemplateInputType.Text or TemplateInputType.Choice => "string",
            },
            ["title"] = input.Label,
            ["description"] = input.Help,
        };
        void Set(string name, JsonNode? value)
        {
            if (value is not null)
            {
                schema[name] = value;
            }
        }

        Set("default", input.Default is { } standing ? JsonNode.Parse(standing.GetRawText()) : null);
        Set("minimum", input.Minimum);
        Set("maximum", input.Maximum);
        Set("maxLength", input.MaxLength);
        Set("enum", input.Choices.Count > 0 ? new JsonArray([.. input.Choices.Select(c => (JsonNode)c)]) : null);
        return schema;
    }

    private static JsonObject Reply(AppTemplate template) => Object(
        ("output", Object((template.Output, Typed("string")))),
        ("model", Typed("string")),
        ("usage", Object(("prompt_tokens", Typed("integer")), ("completion_tokens", Typed("integer")), ("total_tokens", Typed("integer")))));

    private static JsonObject Problem() => Object(
        ("title", Typed("string")),
        ("status", Typed("integer")),
        ("detail", Typed("string")),
        ("code", Typed("string")),
        ("errors", new JsonObject { ["type"] = "object", ["nullable"] = true, ["additionalProperties"] = new JsonObject { ["type"] = "array", ["items"] = Typed("string") } }));

    private static JsonObject Object(params ReadOnlySpan<(string Name, JsonObject Schema)> fields)
    {
        var properties = new JsonObject();
        foreach (var (name, schema) in fields)
        {
            properties[name] = schema;
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties };
    }

    private static JsonObject Typed(string type) => new() { ["type"] = type };

    private static JsonObject Json(string schema) => new() { ["application/json"] = Schema(schema) };

    private static JsonObject Refusal(string description) => new()
    {
        ["description"] = description,
        ["content"] = new JsonObject { ["application/problem+json"] = Schema("Problem") },
    };

    private static JsonObject Schema(string name) => new() { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } };
}
