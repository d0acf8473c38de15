using System.Text.Json;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Metering;
using LlmOs.Models.Generation;
using LlmOs.Models.Loading;
using LlmOs.Models.Prompts;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>A chat request with every field checked.</summary>
internal sealed record ChatPlan(
    TextRequest Request,
    int Choices,
    long? Seed,
    Conversation Conversation,
    bool Logprobs,
    bool ReturnTokenIds,
    bool Stream,
    bool IncludeUsage,
    KeepAlive? KeepAlive,
    TimeSpan? Timeout)
{
    /// <summary>What can be said before the model is known.</summary>
    public static void CheckShape(ChatRequest request)
    {
        ConversationRules.CheckMessages(request.Messages);
        if (request.StreamOptions is not null && request.Stream != true)
        {
            throw LlmOsException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
        }

        ConversationRules.CheckTools(request.Tools);
        CheckCalls(request);
        CheckResponseFormat(request.ResponseFormat);
    }

    /// <param name="vocabulary">The model's ids go from 0 to one less.</param>
    public static ChatPlan From(ChatRequest request, int vocabulary)
    {
        OpenAiFields.RefuseUnbuilt(request);
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
        var conversation = ConversationRules.ToConversation(
            request.Messages!, request.Tools, request.AddGenerationPrompt, request.ContinueFinalMessage, request.ChatTemplate, request.ChatTemplateKwargs) with
        {
            Documents = request.Documents,
        };
        var text = OpenAiFields.ToRequest(request, vocabulary, maxTokens, logprobs ? top ?? 0 : null) with { ContinuesPrompt = conversation.ContinuesLast };
        return new ChatPlan(
            text,
            choices,
            request.Seed,
            conversation,
            logprobs,
            request.ReturnTokenIds ?? false,
            request.Stream ?? false,
            request.StreamOptions?.IncludeUsage ?? false,
            Loading.KeepAlive.Read(request.KeepAlive),
            Deadline.Read(request.Timeout));
    }

    /// <summary>What is asked of a model, whose template makes the prompt.</summary>
    public GenerationOrder ToOrder(ServableModel model) => new()
    {
        Model = model,
        Operation = Operations.Chat,
        Field = "messages",
        Prompts = [new GenerationPrompt { Chat = Conversation }],
        Request = Request,
        Choices = Choices,
        Seed = Seed,
        KeepAlive = KeepAlive,
        Timeout = Timeout,
    };

    private static void CheckCalls(ChatRequest request)
    {
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
