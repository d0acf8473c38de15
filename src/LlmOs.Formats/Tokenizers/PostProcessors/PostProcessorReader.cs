using System.Text.Json;
using LlmOs.Formats.Text;

namespace LlmOs.Formats.Tokenizers.PostProcessors;

/// <summary>Builds the post-processor from its JSON.</summary>
internal static class PostProcessorReader
{
    public static PostProcessor Read(JsonElement? element, string component, int size) =>
        element is { } present ? Read(new Fields(present, component), size) : PostProcessor.None;

    private static PostProcessor Read(Fields fields, int size) => fields.Type switch
    {
        "ByteLevel" => PostProcessor.None with
        {
            TrimSpaces = fields.Flag("trim_offsets", true),
            KeepsFirstSpace = fields.Flag("add_prefix_space", true),
        },
        "TemplateProcessing" => ReadTemplate(fields, size),
        "BertProcessing" => PostProcessor.Bert(Special(fields, "cls", size), Special(fields, "sep", size)),
        "RobertaProcessing" => PostProcessor.Roberta(Special(fields, "cls", size), Special(fields, "sep", size)) with
        {
            TrimSpaces = fields.Flag("trim_offsets", true),
            KeepsFirstSpace = fields.Flag("add_prefix_space", true),
        },
        "Sequence" => Combine(fields, [.. fields.Items("processors").Select((item, i) => Read(new Fields(item, $"{fields.Component}.processors[{i}]"), size))]),
        var type => throw fields.Unsupported(type),
    };

    private static PostProcessor Combine(Fields fields, PostProcessor[] parts)
    {
        var result = PostProcessor.None;
        foreach (var part in parts)
        {
            var plain = ReferenceEquals(part.Single, PostProcessor.None.Single);
            if (!plain && !ReferenceEquals(result.Single, PostProcessor.None.Single))
            {
                throw new TokenizerFormatException($"{fields.Component} has two processors that add tokens; one is supported.");
            }

            result = new PostProcessor(
                plain ? result.Single : part.Single,
                plain ? result.Pair : part.Pair,
                result.TrimSpaces || part.TrimSpaces,
                part.TrimSpaces ? part.KeepsFirstSpace : result.KeepsFirstSpace);
        }

        return result;
    }

    private static PostProcessor ReadTemplate(Fields fields, int size)
    {
        var specials = new Dictionary<string, int[]>(StringComparer.Ordinal);
        if (fields.Find("special_tokens") is { ValueKind: JsonValueKind.Object } map)
        {
            foreach (var entry in map.EnumerateObject())
            {
                var token = new Fields(entry.Value, $"{fields.Component}.special_tokens");
                specials[Fields.NameOf(entry, token.Component)] = [.. token.Items("ids").Select(id => Checked(id, token.Component, size))];
            }
        }

        return new PostProcessor(
            ReadSlots(fields, "single", specials),
            fields.Find("pair") is null ? PostProcessor.None.Pair : ReadSlots(fields, "pair", specials));
    }

    private static List<Slot> ReadSlots(Fields fields, string name, Dictionary<string, int[]> specials)
    {
        var slots = new List<Slot>();
        foreach (var item in fields.Items(name))
        {
            var part = new Fields(item, $"{fields.Component}.{name}");
            if (part.Find("Sequence") is { } sequence)
            {
                var text = new Fields(sequence, part.Component);
                slots.Add(new Slot(text.String("id") == "B" ? 1 : 0, 0, text.Number("type_id")));
                continue;
            }

            var special = part.Child("SpecialToken");
            if (!specials.TryGetValue(special.String("id"), out var ids))
            {
                throw new TokenizerFormatException($"{part.Component} names \"{special.String("id")}\", which special_tokens lacks.");
            }

            slots.AddRange(ids.Select(id => new Slot(-1, id, special.Number("type_id"))));
        }

        return slots;
    }

    private static int Special(Fields fields, string name, int size)
    {
        var pair = fields.Items(name).ToArray();
        return pair.Length == 2
            ? Checked(pair[1], $"{fields.Component}.{name}", size)
            : throw new TokenizerFormatException($"{fields.Component}.{name} has {pair.Length} entries; a token and its id were expected.");
    }

    private static int Checked(JsonElement id, string component, int size) =>
        id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out var number) && number >= 0 && number < size
            ? number
            : throw new TokenizerFormatException($"{component} holds the id {id.GetRawText()}; the vocabulary ends at {size - 1}.");
}
