using System.Text.Json;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Models.Serving;

namespace LlmOs.Models.OpenAi;

/// <summary>A chat request with every field checked.</summary>
internal sealed record ChatPlan(
    InferenceOrder Order,
    IReadOnlyList<TemplateMessage> Messages,
    IReadOnlyList<JsonElement>? Tools,
    bool Logprobs,
    bool ReturnTokenIds,
    bool Stream,
    bool IncludeUsage)
{
    private static readonly string[] Roles = ["system", "developer", "user", "assistant", "tool"];

    /// <summary>What can be said before the model is known.</summary>
    public static void CheckShape(ChatRequest request)
    {
        if (request.Messages is null or { Count: 0 })
        {
            throw LlmOsException.Invalid("messages", "'messages' is missing or empty. Send at least one message, such as {\"role\":\"user\",\"content\":\"Hello\"}.");
        }

        for (var at = 0; at < request.Messages.Count; at++)
        {
            CheckMessage(request.Messages[at], $"messages[{at}]");
        }

        if (request.StreamOptions is not null && request.Stream != true)
        {
            throw LlmOsException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
        }

        CheckTools(request);
        CheckResponseFormat(request.ResponseFormat);
    }

    /// <param name="vocabulary">The model's ids go from 0 to one less.</param>
    public static ChatPlan From(ChatRequest request, int vocabulary)
    {
        GenerationRules.RefuseUnbuilt(request);
        var maxTokens = GenerationRules.CheckMaxTokens("max_completion_tokens", request.MaxCompletionTokens)
            ?? GenerationRules.CheckMaxTokens("max_tokens", request.MaxTokens)
            ?? int.MaxValue;
        var top = GenerationRules.CheckTopLogprobs("top_logprobs", request.TopLogprobs);
        var logprobs = request.Logprobs ?? false;
        if (top > 0 && !logprobs)
        {
            throw LlmOsException.Invalid("top_logprobs", "'top_logprobs' needs 'logprobs': true.");
        }

        var choices = GenerationRules.CheckChoices("n", request.N);
        var text = GenerationRules.ToRequest(request, vocabulary, maxTokens, logprobs ? top ?? 0 : null) with { ContinuesPrompt = false };
        return new ChatPlan(
            new InferenceOrder("messages", text, choices, request.Seed),
            [.. request.Messages!.Select(ToTemplate)],
            request.Tools is { Count: > 0 } ? request.Tools : null,
            logprobs,
            request.ReturnTokenIds ?? false,
            request.Stream ?? false,
            request.StreamOptions?.IncludeUsage ?? false);
    }

    /// <summary>Ids of the prompt that the model's template makes.</summary>
    public IReadOnlyList<int[]> Encode(LoadedModel model) =>
        [(model.Chat ?? throw InferenceGate.NoTokenizer(model, "messages")).Encode(Messages, Tools, continueLast: false)];

    private static void CheckMessage(ChatMessage message, string field)
    {
        if (message.Role is null || !Roles.Contains(message.Role))
        {
            throw LlmOsException.Invalid($"{field}.role", $"'{field}.role' must be one of {string.Join(", ", Roles)}.");
        }

        if (message.Content is null && message.Role != "assistant")
        {
            throw LlmOsException.Invalid($"{field}.content", $"'{field}.content' is missing. Only a message of the assistant may go without.");
        }
    }

    /// <summary>Templates know the older word for what a developer says.</summary>
    private static TemplateMessage ToTemplate(ChatMessage message) => new(
        message.Role == "developer" ? "system" : message.Role!,
        message.Content?.Text ?? message.Refusal,
        message.Name,
        message.ToolCallId,
        message.ToolCalls);

    private static void CheckTools(ChatRequest request)
    {
        for (var at = 0; at < request.Tools?.Count; at++)
        {
            var tool = request.Tools[at];
            var isFunction = tool.ValueKind == JsonValueKind.Object
                && tool.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && type.ValueEquals("function")
                && tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object
                && function.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String;
            if (!isFunction)
            {
                throw LlmOsException.Invalid($"tools[{at}]", $"'tools[{at}]' must be {{\"type\":\"function\",\"function\":{{\"name\":\"...\"}}}}.");
            }
        }

        var choice = request.ToolChoice;
        var asksForNothing = GenerationRules.IsNothing(choice) || (choice!.Value.ValueKind == JsonValueKind.String && choice.Value.ValueEquals("none"));
        GenerationRules.Refuse("tool_choice", asksForNothing, "tool calls other than 'none'");
        GenerationRules.Refuse("functions", GenerationRules.IsNothing(request.Functions), "the old 'functions' (use 'tools')");
        GenerationRules.Refuse("function_call", GenerationRules.IsNothing(request.FunctionCall), "the old 'function_call' (use 'tool_choice')");
    }

    private static void CheckResponseFormat(JsonElement? format)
    {
        var isText = format is null or { ValueKind: JsonValueKind.Null }
            || (format.Value.ValueKind == JsonValueKind.Object && format.Value.TryGetProperty("type", out var type)
                && type.ValueKind == JsonValueKind.String && type.ValueEquals("text"));
        GenerationRules.Refuse("response_format", isText, "response formats other than {\"type\":\"text\"}");
    }
}
