using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary><c>stop</c>: one string, or a list of up to four.</summary>
[JsonConverter(typeof(StopInputConverter))]
public sealed record StopInput(IReadOnlyList<string> Texts)
{
    public static implicit operator StopInput(string text) => new([text]);
}

internal sealed class StopInputConverter : JsonConverter<StopInput>
{
    private const string Expected = "must be a string or a list of strings.";

    public override StopInput Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return RequestTexts.Read(ref reader);
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException(Expected);
        }

        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var place = $"[{texts.Count}]";
            texts.Add(reader.TokenType == JsonTokenType.String ? RequestTexts.Read(ref reader, place) : throw new JsonPartException(place, "must be a string."));
        }

        return new StopInput(texts);
    }

    public override void Write(Utf8JsonWriter writer, StopInput value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var text in value.Texts)
        {
            writer.WriteStringValue(text);
        }

        writer.WriteEndArray();
    }
}
