using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>
/// What is wrong with a part of a value that has a converter of its own. The serializer names the value, this the part below
/// it, so that a refusal can name the very field.
/// </summary>
/// <param name="part">From the value down, as in <c>.vocabulary</c> or <c>[0].text</c>.</param>
public sealed class JsonPartException(string part, string message, Exception? cause = null) : JsonException(message, cause)
{
    /// <summary>From the value down.</summary>
    public string Part { get; } = part;
}
