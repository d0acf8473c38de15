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
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw new JsonException(Expected);
            }

            parts.Add(ReadPart(ref reader));
        }

        return new MessageContent(string.Concat(parts)) { Parts = parts };
    }

    public override void Write(Utf8JsonWriter writer, MessageContent value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);

    private static string ReadPart(ref Utf8JsonReader reader)
    {
        string? type = null, text = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = RequestTexts.Read(ref reader);
            reader.Read();
            switch (name)
            {
                case "type" when reader.TokenType == JsonTokenType.String:
                    type = RequestTexts.Read(ref reader);
                    break;
                case "text" or "refusal" when reader.TokenType == JsonTokenType.String:
                    text = RequestTexts.Read(ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return type switch
        {
            "text" or "refusal" when text is not null => text,
            "text" or "refusal" or null => throw new JsonException(Expected),
            _ => throw new JsonException($"holds a part of type '{type}'; only parts of type 'text' are supported."),
        };
    }
}
