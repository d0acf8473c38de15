using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>Enum values as they stand on the wire.</summary>
public static class Words
{
    /// <summary><c>ContextLengthExceeded</c> as <c>context_length_exceeded</c>.</summary>
    public static string ToWord<T>(this T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
