using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>One prompt: text, or token ids that are used as they are. Exactly one of the two is set.</summary>
/// <param name="Text">Out of reach of the checks that other texts pass: the model's context alone limits it.</param>
public sealed record PromptItem([property: JsonIgnore] string? Text, IReadOnlyList<int>? Ids);

/// <summary>The <c>prompt</c> of a completion: a text, a list of texts, a list of token ids, or a list of such lists.</summary>
[JsonConverter(typeof(PromptInputConverter))]
public sealed record PromptInput(IReadOnlyList<PromptItem> Items)
{
    public static implicit operator PromptInput(string text) => new([new PromptItem(text, null)]);
}

internal sealed class PromptInputConverter : JsonConverter<PromptInput>
{
    private const string Expected = "must be a string, a list of strings, a list of token ids, or a list of lists of token ids.";

    public override PromptInput Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return RequestTexts.Read(ref reader);
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException(Expected);
        }

        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.EndArray => throw new JsonException("must not be an empty list."),
            JsonTokenType.Number => new PromptInput([new PromptItem(null, ReadIds(ref reader, ""))]),
            JsonTokenType.String => ReadTexts(ref reader),
            JsonTokenType.StartArray => ReadLists(ref reader),
            _ => throw new JsonException(Expected),
        };
    }

    public override void Write(Utf8JsonWriter writer, PromptInput value, JsonSerializerOptions options)
    {
        if (value.Items is [var only])
        {
            WriteItem(writer, only);
            return;
        }

        writer.WriteStartArray();
        foreach (var item in value.Items)
        {
            WriteItem(writer, item);
        }

        writer.WriteEndArray();
    }

    private static PromptInput ReadTexts(ref Utf8JsonReader reader)
    {
        var items = new List<PromptItem>();
        for (; reader.TokenType != JsonTokenType.EndArray; reader.Read())
        {
            var place = $"[{items.Count}]";
            items.Add(reader.TokenType == JsonTokenType.String
                ? new PromptItem(RequestTexts.Read(ref reader, place), null)
                : throw new JsonPartException(place, "must be a string, as the ones before it."));
        }

        return new PromptInput(items);
    }

    private static PromptInput ReadLists(ref Utf8JsonReader reader)
    {
        var items = new List<PromptItem>();
        for (; reader.TokenType != JsonTokenType.EndArray; reader.Read())
        {
            var place = $"[{items.Count}]";
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonPartException(place, "must be a list of token ids, as the ones before it.");
            }

            reader.Read();
            items.Add(new PromptItem(null, ReadIds(ref reader, place)));
        }

        return new PromptInput(items);
    }

    /// <summary>From the first element to the end of the list.</summary>
    private static List<int> ReadIds(ref Utf8JsonReader reader, string place)
    {
        var ids = new List<int>();
        for (; reader.TokenType != JsonTokenType.EndArray; reader.Read())
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id))
            {
                throw new JsonPartException($"{place}[{ids.Count}]", "must be a token id, a whole number.");
            }

            ids.Add(id);
        }

        return ids;
    }

    private static void WriteItem(Utf8JsonWriter writer, PromptItem item)
    {
        if (item.Text is not null)
        {
            writer.WriteStringValue(item.Text);
            return;
        }

        writer.WriteStartArray();
        foreach (var id in item.Ids ?? [])
        {
            writer.WriteNumberValue(id);
        }

        writer.WriteEndArray();
    }
}
