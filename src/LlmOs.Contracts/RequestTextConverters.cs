using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace LlmOs.Contracts;

/// <summary>
/// Refuses text that no database or tokenizer can take: U+0000 and half a surrogate pair. For what comes in from outside
/// only; the serializer adds the field's path to the refusal.
/// </summary>
internal sealed class RequestStringConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.String => RequestText.Checked(ref reader),
            _ => throw new JsonException("expected a string."),
        };

    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        RequestText.Checked(ref reader);

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(value);
}

/// <summary>The same for free-form JSON that goes to a model, where U+0000 is a character like any other.</summary>
internal sealed class ModelTextElementConverter() : RequestElementConverter(mayHoldNul: true);

/// <summary>The same for free-form JSON.</summary>
internal class RequestElementConverter(bool mayHoldNul = false) : JsonConverter<JsonElement>
{
    private static readonly JsonConverter<JsonElement> Plain = JsonMetadataServices.JsonElementConverter;

    public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var element = Plain.Read(ref reader, typeToConvert, options);
        Check(element, part: "");
        return element;
    }

    public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) => value.WriteTo(writer);

    /// <param name="part">Where the element lies, from the value down, so that a refusal names the very field.</param>
    private void Check(JsonElement element, string part)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    var name = CheckText(() => property.Name, part);
                    Check(property.Value, $"{part}.{name}");
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Check(item, $"{part}[{index++}]");
                }

                break;
            case JsonValueKind.String:
                CheckText(() => element.GetString()!, part);
                break;
        }
    }

    private string CheckText(Func<string> read, string part)
    {
        try
        {
            var text = read();
            if (!mayHoldNul)
            {
                RequestText.Check(text);
            }

            return text;
        }
        catch (InvalidOperationException)
        {
            throw new JsonPartException(part, RequestText.LoneSurrogate);
        }
        catch (JsonException fault)
        {
            throw new JsonPartException(part, fault.Message, fault);
        }
    }
}

/// <summary>What texts from outside may hold.</summary>
public static class RequestText
{
    public const string LoneSurrogate = "the text holds half a surrogate pair (\\ud800 to \\udfff), or bytes that are not UTF-8; neither is a character.";

    public static string Checked(ref Utf8JsonReader reader)
    {
        try
        {
            var text = reader.GetString()!;
            Check(text);
            return text;
        }
        catch (InvalidOperationException)
        {
            throw new JsonException(LoneSurrogate);
        }
    }

    public static void Check(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            throw new JsonException("the text holds the character U+0000, which is not accepted.");
        }
    }
}
