using System.Text;
using System.Text.Json.Nodes;

namespace LlmOs.Formats.Tests.Tokenizers;

/// <summary>Changes a JSON document at one place into something else that is JSON.</summary>
internal static class JsonMutation
{
    private static readonly string[] Values =
    [
        "null", "true", "0", "-1", "1", "2147483647", "-2147483648", "1e308", "1e999", "0.5", "99999999999999999999", "\"\"", "\"a\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[]]", "[\"a\",\"b\"]",
        "{\"type\":\"Sequence\"}", "{\"type\":\"ByteLevel\"}", "{\"type\":\"NFKC\"}", "{\"type\":\"Lowercase\"}", "{\"type\":\"Metaspace\",\"replacement\":\"▁\"}", "{\"type\":\"WordPiece\"}", "{\"Regex\":\"(a*)*\"}", "{\"String\":\"\"}", "\"▁\"", "\"Unigram\"", "\"WordLevel\"", "\"BPE\"",
    ];

    public static byte[] Of(byte[] file, Random random)
    {
        var root = JsonNode.Parse(file)!;
        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places, random);
        var (parent, key) = places[random.Next(places.Count)];
        var action = random.Next(4);
        const string Marker = "\u2063here\u2063";
        switch (parent, key)
        {
            case (JsonObject map, string name) when action == 0:
                map.Remove(name);
                return Encoding.UTF8.GetBytes(root.ToJsonString());
            case (JsonObject map, string name):
                map[name] = Marker;
                break;
            case (JsonArray list, int index):
                list[index] = Marker;
                break;
        }

        var json = root.ToJsonString();
        return Encoding.UTF8.GetBytes(json.Replace(JsonValue.Create(Marker).ToJsonString(), Values[random.Next(Values.Length)], StringComparison.Ordinal));
    }

    // Of long lists and maps a few places are enough: else every mutation would hit the vocabulary.
    private static void Collect(JsonNode node, List<(JsonNode, object)> places, Random random)
    {
        if (node is JsonObject map)
        {
            foreach (var (name, value) in map.Count > 40 ? map.Skip(random.Next(map.Count - 3)).Take(3) : map)
            {
                places.Add((map, name));
                if (value is not null)
                {
                    Collect(value, places, random);
                }
            }
        }
        else if (node is JsonArray list)
        {
            for (var i = list.Count > 40 ? random.Next(list.Count - 3) : 0; i < list.Count && (list.Count <= 40 || random.Next(3) > 0); i++)
            {
                places.Add((list, i));
                if (list[i] is { } value)
                {
                    Collect(value, places, random);
                }
            }
        }
    }
}
