using System.Text.Json;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Conversations of requests, checked, in the form that templates are given.</summary>
internal static class ConversationRules
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>Variables that are the request's own fields.</summary>
    private static readonly string[] OwnFields = ["messages", "tools", "documents"];

    /// <summary>Names of a message that have fields of their own.</summary>
    private static readonly string[] Known = ["role", "content", "name", "tool_calls", "tool_call_id", "refusal"];

    public static void CheckMessages(IReadOnlyList<ChatMessage>? messages)
    {
        if (messages is null or { Count: 0 })
        {
            throw LlmOsException.Invalid("messages", "'messages' is missing or empty. Send at least one message, such as {\"role\":\"user\",\"content\":\"Hello\"}.");
        }

        for (var at = 0; at < messages.Count; at++)
        {
            var (message, field) = (messages[at], $"messages[{at}]");
            if (message.Role is null || !Roles.Contains(message.Role))
            {
                throw LlmOsException.Invalid($"{field}.role", $"'{field}.role' must be one of {string.Join(", ", Roles)}.");
            }

            if (message.Content is null && message.Role != "assistant")
            {
                throw LlmOsException.Invalid($"{field}.content", $"'{field}.content' is missing. Only a message of the assistant may go without.");
            }
        }
    }

    public static void CheckTools(IReadOnlyList<JsonElement>? tools)
    {
        for (var at = 0; at < tools?.Count; at++)
        {
            var tool = tools[at];
            var isFunction = tool.ValueKind == JsonValueKind.Object
                && tool.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("function")
                && tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
                && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String;
            if (!isFunction)
            {
                throw LlmOsException.Invalid($"tools[{at}]", $"'tools[{at}]' must be {{\"type\":\"function\",\"function\":{{\"name\":\"...\"}}}}.");
            }
        }
    }

    /// <param name="messages">Already checked by <see cref="CheckMessages"/>.</param>
    public static Conversation ToConversation(
        IReadOnlyList<ChatMessage> messages,
        IReadOnlyList<JsonElement>? tools,
        bool? addGenerationPrompt,
        bool? continueFinal,
        string? template,
        IReadOnlyDictionary<string, JsonElement>? variables)
    {
        var continues = continueFinal ?? false;
        if (continues && addGenerationPrompt == true)
        {
            throw LlmOsException.Invalid("continue_final_message", "'continue_final_message' and 'add_generation_prompt' cannot both be true: a prompt ends within the last message or behind it.");
        }

        if (continues && (messages[^1].Role != "assistant" || messages[^1].Content is null))
        {
            throw LlmOsException.Invalid("continue_final_message", "'continue_final_message' needs a last message of the role 'assistant' with a content.");
        }

        foreach (var name in OwnFields)
        {
            if (variables?.ContainsKey(name) == true)
            {
                throw LlmOsException.Invalid("chat_template_kwargs", $"'chat_template_kwargs' may not hold '{name}', which is a field of its own.");
            }
        }

        return new Conversation([.. messages.Select(ToTemplate)], continues)
        {
            Tools = tools is { Count: > 0 } ? tools : null,
            AddGenerationPrompt = addGenerationPrompt ?? !continues,
            Template = string.IsNullOrEmpty(template) ? null : template,
            Variables = variables,
        };
    }

    /// <summary>The conversation of a request beside <c>/v1</c>.</summary>
    public static Conversation ToConversation(ConversationFields fields)
    {
        CheckMessages(fields.Messages);
        CheckTools(fields.Tools);
        return ToConversation(fields.Messages!, fields.Tools, fields.AddGenerationPrompt, fields.ContinueFinalMessage, fields.ChatTemplate, fields.ChatTemplateKwargs);
    }

    private static TemplateMessage ToTemplate(ChatMessage message) => new(
        message.Role!,
        message.Content?.Text ?? message.Refusal,
        message.Content?.Parts,
        message.Name,
        message.ToolCallId,
        message.ToolCalls,
        message.Unknown?.Where(f => !Known.Contains(f.Key)).ToDictionary());
}
