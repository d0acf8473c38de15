using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LlmOs.Server.Tests.Http;

/// <summary>A place in a request's body, and how to get there.</summary>
/// <param name="Path">As a refusal would name it: <c>a</c>, <c>a.b</c>, <c>a[0].b</c>.</param>
/// <param name="Steps">From the root; each says in which form of its parent it lies.</param>
/// <param name="Schemas">What the document says that may stand there; empty where it says nothing.</param>
internal sealed record BodyField(string Path, IReadOnlyList<BodyStep> Steps, IReadOnlyList<JsonObject> Schemas, bool IsRequired)
{
    /// <summary>The last word of the path that is a name.</summary>
    public string Name => Steps.Last(step => step.Name is not null).Name!;

    public bool IsElement => Steps[^1].Name is null;
}

/// <summary>One step down.</summary>
/// <param name="Container">The schema of the parent, in the form that has this child.</param>
/// <param name="Name">Null: the first element of a list.</param>
internal sealed record BodyStep(JsonObject Container, string? Name);

/// <summary>Every field that a body can have: those of the schema, in all forms of its unions and at all depths, and those of the example.</summary>
internal sealed class BodyFields
{
    private const int Deepest = 8;
    private const string Marker = "~the field~";
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Operation _operation;
    private readonly Dictionary<string, BodyField> _fields = new(StringComparer.Ordinal);

    private BodyFields(Operation operation) => _operation = operation;

    public static IReadOnlyCollection<BodyField> Of(Operation operation)
    {
        var fields = new BodyFields(operation);
        fields.AddSchema(operation.BodySchema, [], "");
        fields.AddExample(operation.BodyExample, [], "");
        return fields._fields.Values;
    }

    /// <summary>The example with one field replaced by a piece of JSON.</summary>
    public static string Replace(Operation operation, BodyField field, string json) => Text(operation, field, _ => json);

    /// <summary>The example with one field standing there twice.</summary>
    public static string Repeat(Operation operation, BodyField field) =>
        Text(operation, field, before => $"{before},{JsonSerializer.Serialize(field.Name, Relaxed)}:{before}");

    private void AddSchema(JsonNode? schema, IReadOnlyList<BodyStep> steps, string path)
    {
        if (steps.Count >= Deepest)
        {
            return;
        }

        foreach (var form in _operation.Document.Forms(schema))
        {
            if (form["properties"] is JsonObject properties)
            {
                var required = form["required"]?.AsArray().Select(name => (string)name!).ToHashSet() ?? [];
                foreach (var (name, child) in properties)
                {
                    Add(child, [.. steps, new BodyStep(form, name)], path.Length == 0 ? name : $"{path}.{name}", required.Contains(name));
                }
            }

            if (form["items"] is { } items)
            {
                Add(items, [.. steps, new BodyStep(form, null)], $"{path}[0]", isRequired: true);
            }
        }
    }

    private void Add(JsonNode? schema, IReadOnlyList<BodyStep> steps, string path, bool isRequired)
    {
        var forms = _operation.Document.Forms(schema);
        if (_fields.TryGetValue(path, out var known))
        {
            // The same place in another form of its parent: what either allows is allowed.
            _fields[path] = known with { Schemas = [.. known.Schemas, .. forms] };
        }
        else
        {
            _fields[path] = new BodyField(path, steps, forms, isRequired);
        }

        AddSchema(schema, steps, path);
    }

    /// <summary>Maps and free-form fields have no names in the schema, but in the example.</summary>
    private void AddExample(JsonNode? node, IReadOnlyList<BodyStep> steps, string path)
    {
        if (node is JsonObject map)
        {
            foreach (var (name, value) in map)
            {
                AddExampleChild(value, [.. steps, new BodyStep(new JsonObject { ["type"] = "object" }, name)], path.Length == 0 ? name : $"{path}.{name}");
            }
        }
        else if (node is JsonArray { Count: > 0 } list)
        {
            AddExampleChild(list[0], [.. steps, new BodyStep(new JsonObject { ["type"] = "array" }, null)], $"{path}[0]");
        }
    }

    private void AddExampleChild(JsonNode? node, IReadOnlyList<BodyStep> steps, string path)
    {
        _fields.TryAdd(path, new BodyField(path, steps, [], IsRequired: false));
        AddExample(node, steps, path);
    }

    private static string Text(Operation operation, BodyField field, Func<string, string> write)
    {
        var body = operation.BodyExample?.DeepClone() as JsonObject ?? [];
        var place = Reach(operation, body, field.Steps);
        var before = (field.Steps[^1].Name is { } name ? place[name] : place.AsArray().FirstOrDefault())?.ToJsonString(Relaxed)
            ?? Sample(operation.Document, field.Schemas.Count > 0 ? field.Schemas[0] : null)?.ToJsonString(Relaxed)
            ?? "null";
        Put(place, field.Steps[^1], Marker);
        return body.ToJsonString(Relaxed).Replace($"\"{Marker}\"", write(before), StringComparison.Ordinal);
    }

    /// <summary>The parent of a field; what lies on the way and has not the form that is needed is made anew.</summary>
    private static JsonNode Reach(Operation operation, JsonObject body, IReadOnlyList<BodyStep> steps)
    {
        JsonNode at = body;
        foreach (var (step, next) in steps.Zip(steps.Skip(1)))
        {
            var child = step.Name is { } name ? at[name] : at.AsArray().FirstOrDefault();
            var fits = next.Name is null ? child is JsonArray : child is JsonObject;
            if (!fits)
            {
                child = Sample(operation.Document, next.Container) ?? throw new InvalidDataException($"{operation}: no sample of {next.Container}");
                Put(at, step, child);
            }

            at = child!;
        }

        return at;
    }

    private static void Put(JsonNode place, BodyStep step, JsonNode value)
    {
        if (step.Name is { } name)
        {
            place[name] = value;
        }
        else if (place.AsArray() is { Count: > 0 } list)
        {
            list[0] = value;
        }
        else
        {
            place.AsArray().Add(value);
        }
    }

    /// <summary>The least that has the form of a schema.</summary>
    private static JsonNode? Sample(OpenApiDocument document, JsonNode? schema, int depth = 0)
    {
        if (document.Forms(schema) is not [var form, ..] || depth > Deepest)
        {
            return JsonValue.Create("text");
        }

        if ((form["example"] ?? form["default"] ?? form["enum"]?[0]) is { } stated)
        {
            return stated.DeepClone();
        }

        switch ((string?)form["type"])
        {
            case "object":
                var map = new JsonObject();
                foreach (var name in form["required"]?.AsArray().Select(n => (string)n!) ?? [])
                {
                    map[name] = Sample(document, form["properties"]![name], depth + 1);
                }

                if (form["properties"]?["role"] is not null)
                {
                    // What a message needs depends on its role, which the document tells in prose.
                    map["role"] = "user";
                    map["content"] = "text";
                }

                return map;
            case "array":
                return new JsonArray(Sample(document, form["items"], depth + 1));
            case "integer" or "number":
                return JsonValue.Create(1);
            case "boolean":
                return JsonValue.Create(true);
            default:
                return JsonValue.Create("text");
        }
    }
}
