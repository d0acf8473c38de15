using System.Text.Json;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>Asks for the next message of a conversation.</summary>
public sealed record ChatRequest : GenerationFields
{
    /// <summary>The conversation, oldest message first.</summary>
    public IReadOnlyList<ChatMessage>? Messages { get; init; }

    /// <summary>The newer name of <c>max_tokens</c>; wins when both are given.</summary>
    public long? MaxCompletionTokens { get; init; }

    /// <summary>Report log-probabilities.</summary>
    public bool? Logprobs { get; init; }

    /// <summary>0 to 20 alternatives for each token; needs <c>logprobs</c>.</summary>
    public int? TopLogprobs { get; init; }

    /// <summary>Functions that the model may be told of; they are rendered where its template knows tools.</summary>
    public IReadOnlyList<JsonElement>? Tools { get; init; }

    /// <summary>LlmOs: documents that the template may show.</summary>
    public IReadOnlyList<JsonElement>? Documents { get; init; }

    /// <summary>LlmOs: whether the prompt ends where the assistant begins to speak. Default true.</summary>
    public bool? AddGenerationPrompt { get; init; }

    /// <summary>LlmOs: whether the reply continues the last message, which must be the assistant's.</summary>
    public bool? ContinueFinalMessage { get; init; }

    /// <summary>LlmOs: Jinja in place of the model's template, or the name of one of the model's.</summary>
    [TextLength(1 << 18)]
    public string? ChatTemplate { get; init; }

    /// <summary>LlmOs: further variables for the template, such as <c>{"enable_thinking": false}</c>.</summary>
    public IReadOnlyDictionary<string, JsonElement>? ChatTemplateKwargs { get; init; }

    /// <summary><c>none</c> or absent; other values are refused until calls are built.</summary>
    public JsonElement? ToolChoice { get; init; }

    /// <summary>Only <c>{"type":"text"}</c> until constrained decoding is built.</summary>
    public JsonElement? ResponseFormat { get; init; }

    /// <summary>Refused: use <c>tools</c>.</summary>
    public JsonElement? Functions { get; init; }

    /// <summary>Refused: use <c>tool_choice</c>.</summary>
    public JsonElement? FunctionCall { get; init; }
}

/// <summary>A message of a conversation.</summary>
public sealed record ChatMessage
{
    /// <summary><c>system</c>, <c>developer</c>, <c>user</c>, <c>assistant</c> or <c>tool</c>.</summary>
    public string? Role { get; init; }

    /// <summary>Text, or a list of text parts; only an assistant's message may go without.</summary>
    public MessageContent? Content { get; init; }

    /// <summary>Who speaks, for templates that show it.</summary>
    public string? Name { get; init; }

    /// <summary>Which call a tool's message answers.</summary>
    public string? ToolCallId { get; init; }

    /// <summary>Calls that an assistant's message made.</summary>
    public IReadOnlyList<JsonElement>? ToolCalls { get; init; }

    /// <summary>An assistant's refusal, in place of a content.</summary>
    public string? Refusal { get; init; }

    /// <summary>Further fields, such as <c>reasoning_content</c>: given to the model's template, which may know them.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>The answer of <c>/v1/chat/completions</c>.</summary>
public sealed record ChatCompletion(string Id, [property: JsonPropertyName("object")] string Kind, long Created, string Model, IReadOnlyList<ChatChoice> Choices, Usage Usage);

/// <summary>One reply.</summary>
public sealed record ChatChoice(int Index, ChatReply Message, ChatLogprobs? Logprobs, string FinishReason)
{
    /// <summary>Of a beam search: the sum of log-probabilities over the number of new tokens to the power of <c>length_penalty</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? SequenceScore { get; init; }

    /// <summary>Ids of the new tokens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>Ids of the prompt that the template made.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}

/// <summary>A reply's message.</summary>
public sealed record ChatReply(string Role, string? Content, string? Refusal);

/// <summary>A chunk of a stream.</summary>
public record ChatChunk(string Id, [property: JsonPropertyName("object")] string Kind, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices);

/// <summary>A chunk of a stream that was asked for its usage: null but in the last.</summary>
public sealed record ChatUsageChunk(string Id, string Kind, long Created, string Model, IReadOnlyList<ChatChunkChoice> Choices, [property: JsonPropertyOrder(1)] Usage? Usage)
    : ChatChunk(Id, Kind, Created, Model, Choices);

/// <summary>A piece of a reply.</summary>
public sealed record ChatChunkChoice(int Index, ChatDelta Delta, ChatLogprobs? Logprobs, string? FinishReason)
{
    /// <summary>Ids of the tokens that came with this piece.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>Ids of the prompt, in the first piece alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}

/// <summary>What a piece adds to the message.</summary>
public sealed record ChatDelta
{
    /// <summary>In the first piece alone.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Role { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Content { get; init; }
}

/// <summary>Log-probabilities, an entry for each token of the reply.</summary>
public sealed record ChatLogprobs(IReadOnlyList<TokenLogprobEntry> Content, IReadOnlyList<TokenLogprobEntry>? Refusal = null);

/// <summary>A token's log-probability and its likeliest alternatives.</summary>
/// <param name="Bytes">The token's UTF-8 bytes; null when it stands for none.</param>
public sealed record TokenLogprobEntry(string Token, float Logprob, IReadOnlyList<int>? Bytes, IReadOnlyList<TopLogprobEntry> TopLogprobs);

/// <summary>A candidate for a token's place.</summary>
public sealed record TopLogprobEntry(string Token, float Logprob, IReadOnlyList<int>? Bytes);
