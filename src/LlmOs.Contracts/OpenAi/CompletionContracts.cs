using System.ComponentModel;
using System.Text.Json.Serialization;

namespace LlmOs.Contracts.OpenAi;

/// <summary>Asks for the continuation of a prompt.</summary>
public sealed record CompletionRequest : GenerationFields
{
    /// <summary>A text, a list of texts, a list of token ids, or a list of such lists.</summary>
    public PromptInput? Prompt { get; init; }

    /// <summary>Put the prompt before the continuation; with <c>max_tokens</c> 0 nothing is generated.</summary>
    public bool? Echo { get; init; }

    /// <summary>0 to 20: report log-probabilities and so many alternatives for each token.</summary>
    public int? Logprobs { get; init; }

    /// <summary>Draw so many and return the <c>n</c> likeliest; not with <c>stream</c>.</summary>
    public int? BestOf { get; init; }

    /// <summary>Refused: the models here do not fill in the middle.</summary>
    public string? Suffix { get; init; }

    /// <summary>LlmOs: whether the tokenizer's own special tokens are put around a text; default as the tokenizer does.</summary>
    [DefaultValue(true)]
    public bool? AddSpecialTokens { get; init; }
}

/// <summary>The answer of <c>/v1/completions</c>.</summary>
public sealed record Completion(string Id, [property: JsonPropertyName("object")] string Kind, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, Usage Usage);

/// <summary>A chunk of a stream.</summary>
public record CompletionChunk(string Id, [property: JsonPropertyName("object")] string Kind, long Created, string Model, IReadOnlyList<CompletionChoice> Choices);

/// <summary>A chunk of a stream that was asked for its usage: null but in the last.</summary>
public sealed record CompletionUsageChunk(string Id, string Kind, long Created, string Model, IReadOnlyList<CompletionChoice> Choices, [property: JsonPropertyOrder(1)] Usage? Usage)
    : CompletionChunk(Id, Kind, Created, Model, Choices);

/// <summary>One continuation, or in a stream a piece of it.</summary>
public sealed record CompletionChoice(string Text, int Index, CompletionLogprobs? Logprobs, string? FinishReason)
{
    /// <summary>Of a beam search: the sum of log-probabilities over the number of new tokens to the power of <c>length_penalty</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? SequenceScore { get; init; }

    /// <summary>Ids of the new tokens.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? TokenIds { get; init; }

    /// <summary>Ids of the prompt; in a stream once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<int>? PromptTokenIds { get; init; }
}

/// <summary>Log-probabilities, a list entry for each token; the very first token of an echoed prompt has none.</summary>
/// <param name="TextOffset">Where each token's text begins, in characters (Unicode code points, so that an emoji is one) from the start of the choice's text; the parts of a split character begin where it does.</param>
public sealed record CompletionLogprobs(
    IReadOnlyList<string> Tokens,
    IReadOnlyList<float?> TokenLogprobs,
    IReadOnlyList<IReadOnlyDictionary<string, float>?> TopLogprobs,
    IReadOnlyList<int> TextOffset);
