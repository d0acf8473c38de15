using System.Text.Json;
using LlmOs.Infrastructure;

namespace LlmOs.Models.Tasks;

/// <summary>A text, or two that belong together.</summary>
internal sealed record TextInput(string Text, string? Pair);

/// <summary>Reads the forms of <c>inputs</c>. A list in gives a list out, also for one input.</summary>
internal static class PipelineInputs
{
    private const int MaxInputs = 2048;

    /// <summary>A text or a list of texts.</summary>
    public static (IReadOnlyList<string> Texts, bool IsList) Texts(JsonElement inputs)
    {
        var (items, isList) = Items(inputs, "a text or a list of texts");
        return ([.. items.Select((item, i) => Text(item, isList ? $"inputs[{i}]" : "inputs"))], isList);
    }

    /// <summary>Texts, of which each may be an object with <c>text</c> and <c>text_pair</c>.</summary>
    public static (IReadOnlyList<TextInput> Texts, bool IsList) Pairs(JsonElement inputs)
    {
        var (items, isList) = Items(inputs, "a text, an object with text and text_pair, or a list of them");
        return ([.. items.Select((item, i) => Pair(item, isList ? $"inputs[{i}]" : "inputs"))], isList);
    }

    /// <summary>Objects of that shape, or one.</summary>
    public static (IReadOnlyList<T> Values, bool IsList) Objects<T>(JsonElement inputs, Func<JsonElement, string, T> read, string expected)
    {
        var (items, isList) = Items(inputs, expected);
        return ([.. items.Select((item, i) =>
        {
            var field = isList ? $"inputs[{i}]" : "inputs";
            return item.ValueKind == JsonValueKind.Object ? read(item, field) : throw LlmOsException.Invalid(field, $"'{field}' must be {expected}.");
        })], isList);
    }

    /// <summary>A text that must be there.</summary>
    public static string Text(JsonElement item, string field)
    {
        try
        {
            return item.ValueKind == JsonValueKind.String ? item.GetString()! : throw LlmOsException.Invalid(field, $"'{field}' must be a text.");
        }
        catch (InvalidOperationException)
        {
            throw LlmOsException.Invalid(field, $"'{field}' is not valid Unicode.");
        }
    }

    public static string Text(JsonElement item, string field, string property) =>
        item.TryGetProperty(property, out var value) ? Text(value, $"{field}.{property}") : throw LlmOsException.Invalid(field, $"'{field}' lacks '{property}'.");

    private static TextInput Pair(JsonElement item, string field) => item.ValueKind switch
    {
        JsonValueKind.String => new TextInput(Text(item, field), null),
        JsonValueKind.Object => new TextInput(Text(item, field, "text"), item.TryGetProperty("text_pair", out var pair) && pair.ValueKind != JsonValueKind.Null ? Text(pair, $"{field}.text_pair") : null),
        _ => throw LlmOsException.Invalid(field, $"'{field}' must be a text or an object with text and text_pair."),
    };

    private static (IReadOnlyList<JsonElement> Items, bool IsList) Items(JsonElement inputs, string expected) => inputs.ValueKind switch
    {
        JsonValueKind.String or JsonValueKind.Object => ([inputs], false),
        JsonValueKind.Array when inputs.GetArrayLength() is > 0 and <= MaxInputs => ([.. inputs.EnumerateArray()], true),
        JsonValueKind.Array => throw LlmOsException.Invalid("inputs", $"'inputs' must hold 1 to {MaxInputs} inputs, not {inputs.GetArrayLength()}."),
        _ => throw LlmOsException.Invalid("inputs", $"'inputs' must be {expected}."),
    };
}
