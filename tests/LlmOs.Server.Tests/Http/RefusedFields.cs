using System.Text.Json;
using System.Text.RegularExpressions;

namespace LlmOs.Server.Tests.Http;

/// <summary>Which fields a refusal is about. A dialect with a shape of its own has a line in <see cref="Read"/>.</summary>
internal static class RefusedFields
{
    /// <summary>Whether a refusal is about a field: in its own words for fields, or by the name within its message.</summary>
    public static bool Names(string refusal, string path, string name, bool mayNameParent)
    {
        // Of a list's element the list may be named.
        path = path.EndsWith("[0]", StringComparison.Ordinal) ? path[..^"[0]".Length] : path;
        var (message, fields) = Read(JsonDocument.Parse(refusal).RootElement);
        return fields.Any(field => field == path || field.StartsWith(path + ".", StringComparison.Ordinal) || field.StartsWith(path + "[", StringComparison.Ordinal)
                || (mayNameParent && (path.StartsWith(field + ".", StringComparison.Ordinal) || path.StartsWith(field + "[", StringComparison.Ordinal))))
            || Regex.IsMatch(message, $@"(?<!\w){Regex.Escape(name)}(?!\w)");
    }

    /// <summary>What a refusal says, in whichever dialect, and the fields that it names.</summary>
    private static (string Message, IEnumerable<string> Fields) Read(JsonElement body) => body.TryGetProperty("error", out var error)
        ? error.ValueKind == JsonValueKind.String
            ? (error.GetString()!, [])
            : (error.GetProperty("message").GetString()!, error.GetProperty("param").GetString() is { } param ? [param] : [])
        : (body.GetProperty("detail").GetString()!,
            body.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Object ? errors.EnumerateObject().Select(e => e.Name) : []);
}
