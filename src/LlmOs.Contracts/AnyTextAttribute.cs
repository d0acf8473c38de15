using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>The text of this field, or those of its list, may hold any character, U+0000 included: they are worked on, not stored.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class AnyTextAttribute : JsonConverterAttribute
{
    public override JsonConverter CreateConverter(Type typeToConvert) => typeToConvert == typeof(string) ? new One() : new Texts();

    private sealed class One : JsonConverter<string>
    {
        public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String ? Text(ref reader) : throw new JsonException("expected a text.");

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
    }

    private sealed class Texts : JsonConverter<IReadOnlyList<string>>
    {
        public override IReadOnlyList<string> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("expected a list of texts.");
            }

            var texts = new List<string>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                texts.Add(reader.TokenType == JsonTokenType.String ? Text(ref reader) : throw new JsonException("expected a list of texts."));
            }

            return texts;
        }

        public override void Write(Utf8JsonWriter writer, IReadOnlyList<string> value, JsonSerializerOptions options) =>
            JsonSerializer.Serialize(writer, value, options);
    }

    private static string Text(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new JsonException(RequestText.LoneSurrogate);
        }
    }
}
