using System.Text.Json;
using LlmOs.Formats.Gguf;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.Forms;

/// <summary>Parts of a published tokenizer that several kinds of GGUF vocabularies have.</summary>
internal static class GgufTokenizerParts
{
    /// <summary>What the metadata of a tokenizer begins with.</summary>
    public const string Prefix = "tokenizer.ggml.";

    private static readonly (string Name, int Texts)[] Frames = [("single", 1), ("pair", 2)];

    public static void WriteFrame(Utf8JsonWriter json, GgufMetadata metadata, GgufVocabulary vocabulary, bool begins, bool ends)
    {
        int? begin = metadata.Flag(Prefix + "add_bos_token") ?? begins ? vocabulary.IdOf(metadata, "bos") : null;
        int? end = metadata.Flag(Prefix + "add_eos_token") ?? ends ? vocabulary.IdOf(metadata, "eos") : null;
        if (begin is null && end is null)
        {
            json.WriteNull("post_processor");
            return;
        }

        json.WriteStartObject("post_processor");
        json.WriteString("type", "TemplateProcessing");
        foreach (var (name, texts) in Frames)
        {
            json.WriteStartArray(name);
            for (var type = 0; type < texts; type++)
            {
                WriteSlot(json, begin, type);
                json.WriteStartObject();
                WriteObject(json, "Sequence", ("id", type == 0 ? "A" : "B"), ("type_id", type));
                json.WriteEndObject();
                WriteSlot(json, end, type);
            }

            json.WriteEndArray();
        }

        json.WriteStartObject("special_tokens");
        foreach (var id in new[] { begin, end }.OfType<int>().Distinct())
        {
            var word = vocabulary.Tokens[id];
            json.WriteStartObject(word);
            json.WriteString("id", word);
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(word);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();

        void WriteSlot(Utf8JsonWriter json, int? id, int type)
        {
            if (id is { } token)
            {
                json.WriteStartObject();
                WriteObject(json, "SpecialToken", ("id", vocabulary.Tokens[token]), ("type_id", type));
                json.WriteEndObject();
            }
        }
    }

    public static void WriteVocabulary(Utf8JsonWriter json, GgufVocabulary vocabulary, Func<string, string> published)
    {
        json.WriteStartObject("vocab");
        for (var id = 0; id < vocabulary.Tokens.Count; id++)
        {
            // Rows that only fill the embedding up have no spelling that counts.
            if (vocabulary.TypeOf(id) is var type && type != PieceType.Unused)
            {
                json.WriteNumber(type == PieceType.Normal ? published(vocabulary.Tokens[id]) : vocabulary.Tokens[id], id);
            }
        }

        json.WriteEndObject();
    }

    public static int Required(GgufVocabulary vocabulary, GgufMetadata metadata, string key, int otherwise)
    {
        var id = vocabulary.IdOf(metadata, key) ?? otherwise;
        return id < vocabulary.Tokens.Count ? id : throw new TokenizerFormatException($"{Prefix}{key}_token_id is missing.");
    }

    public static void WriteReplace(Utf8JsonWriter json, string from, string to)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        WriteObject(json, "pattern", ("String", from));
        json.WriteString("content", to);
        json.WriteEndObject();
    }

    public static void WritePair(Utf8JsonWriter json, string name, string token, int id)
    {
        json.WriteStartArray(name);
        json.WriteStringValue(token);
        json.WriteNumberValue(id);
        json.WriteEndArray();
    }

    /// <param name="name">Null within a list.</param>
    public static void WriteObject(Utf8JsonWriter json, string? name, params ReadOnlySpan<(string Name, object Value)> fields)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }

        foreach (var (field, value) in fields)
        {
            switch (value)
            {
                case bool flag:
                    json.WriteBoolean(field, flag);
                    break;
                case int number:
                    json.WriteNumber(field, number);
                    break;
                default:
                    json.WriteString(field, (string)value);
                    break;
            }
        }

        json.WriteEndObject();
    }
}
