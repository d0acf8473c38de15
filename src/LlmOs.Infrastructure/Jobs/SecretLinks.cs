using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>
/// Takes out of what a job shows whatever lets somebody in: the query and the user of a web address. Signed addresses carry their
/// right in the query, and everybody with a <c>read</c> key sees jobs.
/// </summary>
public static partial class SecretLinks
{
    private const string Hidden = "(hidden)";

    /// <summary>The same value with its addresses shortened; the value itself where there is none.</summary>
    public static JsonElement Hide(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined || !value.GetRawText().Contains("://", StringComparison.Ordinal))
        {
            return value;
        }

        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(writer, value);
        }

        return JsonDocument.Parse(buffer.WrittenMemory).RootElement;
    }

    /// <summary><c>https://user@host/file?signature</c> as <c>https://(hidden)@host/file?(hidden)</c>.</summary>
    public static string Hide(string text) => Address().Replace(text, match =>
    {
        var (user, query) = (match.Groups["user"].Success, match.Groups["query"].Success);
        return $"{match.Groups["scheme"]}{(user ? Hidden + "@" : "")}{match.Groups["place"]}{(query ? "?" + Hidden : "")}";
    });

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in value.EnumerateObject())
                {
                    writer.WritePropertyName(property.Name);
                    Write(writer, property.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(writer, item);
                }

                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(Hide(value.GetString()!));
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }

    [GeneratedRegex(@"(?<scheme>https?://)(?:(?<user>[^\s/?#@]*)@)?(?<place>[^\s?#]*)(?:\?(?<query>[^\s#]*))?", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
