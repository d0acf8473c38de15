using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>A message's <c>content</c>: a string, or a list of text parts, which mean their texts one after the other.</summary>
/// <param name="Text">Out of reach of the checks that other texts pass: the model's context alone limits it.</param>
[JsonConverter(typeof(MessageContentConverter))]
public sealed record MessageContent([property: JsonIgnore] string Text)
{
    /// <summary>The texts one by one, where the content came in parts; null where it was a string.</summary>
    [JsonIgnore]
    public IReadOnlyList<string>? Parts { get; init; }

    public static implicit operator MessageContent(string text) => new(text);
}

internal sealed class MessageContentConverter : JsonConverter<MessageContent>
{
    private const string Expected = "must be a string or a list of text parts: {\"type\":\"text\",\"text\":\"...\"}.";
    private const string ExpectedPart = "must be a text part: {\"type\":\"text\",\"text\":\"...\"}.";

    public override MessageContent Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return RequestTexts.Read(ref reader);
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException(Expected);
        }

        var parts = new List<string>();
        for (var at = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; at++)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonPartException($"[{at}]", ExpectedPart);
            }

            parts.Add(ReadPart(ref reader, $"[{at}]"));
        }

        return new MessageContent(string.Concat(parts)) { Parts = parts };
    }

    public override void Write(Utf8JsonWriter writer, MessageContent value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);

    private static string ReadPart(ref Utf8JsonReader reader, string place)
    {
        string? type = null, text = null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = RequestTexts.Read(ref reader, place);
            if (!names.Add(name))
            {
                throw new JsonPartException($"{place}.{name}", "stands more than once in its object.");
            }

            reader.Read();
            switch (name)
            {
                case "type":
                    type = ReadText(ref reader, $"{place}.type");
                    break;
                case "text" or "refusal":
                    text = ReadText(ref reader, $"{place}.{name}");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return type switch
        {
            "text" or "refusal" when text is not null => text,
            "text" or "refusal" => throw new JsonPartException($"{place}.{type}", "is missing."),
            null => throw new JsonPartException($"{place}.type", "is missing; " + ExpectedPart),
            _ => throw new JsonPartException($"{place}.type", $"is '{(type.Length > 50 ? type[..50] : type)}'; only parts of type 'text' are supported."),
        };
    }

    private static string ReadText(ref Utf8JsonReader reader, string place) => reader.TokenType == JsonTokenType.String
        ? RequestTexts.Read(ref reader, place)
        : throw new JsonPartException(place, "expected a string.");
}
