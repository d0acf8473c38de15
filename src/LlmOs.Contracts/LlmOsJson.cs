using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts;

/// <summary>How the platform writes and reads JSON: snake case, enums as words, 64 levels, no repeated keys.</summary>
public static class LlmOsJson
{
    /// <summary>Shared by server, clients and stored documents; read-only.</summary>
    public static JsonSerializerOptions Options { get; } = Create();

    /// <summary>Applies the same rules to options that somebody else owns (the web framework's).</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = null;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.Never;
        options.MaxDepth = 64;
        options.AllowDuplicateProperties = false;
        options.Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower));
    }

    /// <summary>For options that read what comes in from outside: refuses text with U+0000 or half a surrogate pair, naming the field.</summary>
    public static void RefuseBadText(JsonSerializerOptions options)
    {
        options.Converters.Add(new RequestStringConverter());
        options.Converters.Add(new RequestElementConverter());
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.General);
        Apply(options);
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
