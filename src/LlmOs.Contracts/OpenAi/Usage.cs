using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>Tokens that a request cost.</summary>
public sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens, PromptTokensDetails PromptTokensDetails, LlmOsUsage Llmos);

/// <param name="CachedTokens">Prompt tokens whose keys and values were already in memory.</param>
public sealed record PromptTokensDetails(int CachedTokens);

/// <summary>Where the time of a request went, in milliseconds; of several choices the longest.</summary>
/// <param name="QueueMs">Waiting for a slot.</param>
/// <param name="PromptMs">From there to the first token.</param>
/// <param name="DecodeMs">From the first token to the last.</param>
/// <param name="LoadMs">Waiting for the model to be loaded; 0 when it was there.</param>
/// <param name="CachedTokens">Prompt tokens whose keys and values were already in memory.</param>
/// <param name="TruncatedTokens">Prompt tokens cut away.</param>
public sealed record LlmOsUsage(double QueueMs, double PromptMs, double DecodeMs, double LoadMs, int CachedTokens, int TruncatedTokens);

/// <summary>The words of <c>finish_reason</c> that this server gives.</summary>
public static class FinishReasons
{
    /// <summary>An end token or a stop string.</summary>
    public const string Stop = "stop";

    /// <summary>The limit of tokens, or the end of the context.</summary>
    public const string Length = "length";
}

/// <summary>OpenAI's error object, as the body of a refusal and as the data of a stream's <c>error</c> event.</summary>
public sealed record ErrorBody(ErrorDetail Error);

/// <param name="Param">The request's field at fault; null when none is.</param>
/// <param name="Code">An <see cref="ErrorCode"/> in snake case.</param>
public sealed record ErrorDetail(string Message, string Type, string? Param, string? Code);

/// <summary>A model that can be named in requests.</summary>
public sealed record ModelObject(string Id, [property: JsonPropertyName("object")] string Kind, long Created, string OwnedBy, ModelObjectDetails Llmos);

/// <param name="Version">Reference of the version that answers, <c>name:3</c>.</param>
/// <param name="Task">The pipeline task.</param>
/// <param name="Context">Most tokens of prompt and reply together.</param>
/// <param name="Capabilities">What can be asked of it: <c>completion</c>, <c>chat</c> (it has a chat template), <c>tools</c> (the template knows them).</param>
/// <param name="MemoryBytes">Memory it takes now; null while it is not loaded.</param>
public sealed record ModelObjectDetails(
    string Version,
    string Task,
    int Context,
    IReadOnlyList<string> Adapters,
    string Quantisation,
    long? MemoryBytes,
    IReadOnlyList<string> Capabilities);

/// <summary>A whole list.</summary>
public sealed record ListObject<T>([property: JsonPropertyName("object")] string Kind, IReadOnlyList<T> Data)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public bool? HasMore { get; init; }

    /// <summary>The id of the first item; null where the list has no such field.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? FirstId { get; init; }

    /// <summary>The id of the last item, to be sent as <c>after</c>; null where the list has no such field.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastId { get; init; }
}
