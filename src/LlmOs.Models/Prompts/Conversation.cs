using System.Text.Json;

namespace LlmOs.Models.Prompts;

/// <summary>A message as templates see it; every text in it but the role came from a user.</summary>
/// <param name="Role">One of a closed set, so that a template may make a special token of it.</param>
/// <param name="Parts">The texts of a content that came in parts; together they are <paramref name="Content"/>.</param>
/// <param name="ToolCalls">JSON as it was sent.</param>
/// <param name="Others">Further fields, such as <c>reasoning_content</c>, for templates that know them.</param>
public sealed record TemplateMessage(
    string Role,
    string? Content,
    IReadOnlyList<string>? Parts = null,
    string? Name = null,
    string? ToolCallId = null,
    IReadOnlyList<JsonElement>? ToolCalls = null,
    IReadOnlyDictionary<string, JsonElement>? Others = null);

/// <summary>A conversation and how its prompt is to be made.</summary>
/// <param name="ContinuesLast">The last message is the assistant's and is to be continued, not closed.</param>
public sealed record Conversation(IReadOnlyList<TemplateMessage> Messages, bool ContinuesLast = false)
{
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    public IReadOnlyList<JsonElement>? Documents { get; init; }

    /// <summary>Whether the prompt ends where the assistant begins to speak.</summary>
    public bool AddGenerationPrompt { get; init; } = true;

    /// <summary>A template of the request's own, or the name of one of the model's; null takes the model's.</summary>
    public string? Template { get; init; }

    /// <summary>Further variables, such as <c>enable_thinking</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Variables { get; init; }
}
