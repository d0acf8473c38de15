using System.Text.Json;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>The fields of a row as a shape asks for them; what does not fit is thrown with its field.</summary>
/// <param name="values">In the order of the columns.</param>
internal sealed class ShapeRow(RowSchema schema, object?[] values)
{
    /// <summary>The value; null where the row or the data set has none.</summary>
    public object? Find(string name) => schema.Find(name) is >= 0 and var column ? values[column] : null;

    public bool Has(string name) => schema.Find(name) >= 0;

    public object Value(string name) => Find(name) ?? throw new ShapeException(ShapeFaults.Missing, name, "is missing.");

    /// <summary>A text that is not blank.</summary>
    public string Text(string name) => Plain(name, Value(name)) is var text && !string.IsNullOrWhiteSpace(text)
        ? text
        : throw new ShapeException(ShapeFaults.Empty, name, "is empty.");

    /// <summary>A text; null where there is none, or only blanks.</summary>
    public string? TextOrNull(string name) => Find(name) is { } value && Plain(name, value) is var text && !string.IsNullOrWhiteSpace(text) ? text : null;

    /// <summary>A list or an object. A cell of a CSV may hold it as JSON.</summary>
    public JsonElement Json(string name) => JsonOrNull(name) ?? throw new ShapeException(ShapeFaults.WrongType, name, "expected a list or an object.");

    /// <summary>A list or an object; null where the value is neither.</summary>
    public JsonElement? JsonOrNull(string name)
    {
        var text = Value(name) switch
        {
            RawJson json => json.Text,
            string cell => cell.TrimStart(),
            _ => "",
        };
        return text.StartsWith('[') || text.StartsWith('{') ? Parse(text) : null;
    }

    private static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 66, AllowDuplicateProperties = false });
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null; // a text that begins with a bracket
        }
    }

    private static string Plain(string name, object value) => value switch
    {
        string text => text,
        RawJson json when Parse($"[{json.Text}]") is { } list && list[0].ValueKind == JsonValueKind.String => list[0].GetString()!,
        RawJson => throw new ShapeException(ShapeFaults.WrongType, name, "expected a text, found a list, an object or a number."),
        _ => throw new ShapeException(ShapeFaults.WrongType, name, $"expected a text, found {(value is bool ? "true or false" : "a number")}."),
    };
}
