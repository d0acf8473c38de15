using System.Text.Json;
using System.Text.Json.Serialization;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Infrastructure.Http;

namespace LlmOs.Models.Dialects.Tgi;

/// <summary>A text to continue.</summary>
[WireContract]
internal sealed record TgiRequest
{
    /// <summary>The text that is continued.</summary>
    [AnyText]
    [TextLength(4 << 20)]
    public required string Inputs { get; init; }

    /// <summary>How it is continued.</summary>
    public TgiParameters? Parameters { get; init; }

    /// <summary>A model's name; absent: the only model there is, or the one of <c>Serving:PipelineModel</c>.</summary>
    public string? Model { get; init; }

    /// <summary>Fields without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>How a text is continued. Greedy, unless <c>do_sample</c> or a number asks for sampling.</summary>
[WireContract]
internal sealed record TgiParameters
{
    /// <summary>An adapter of the model, by its name.</summary>
    public JsonElement? AdapterId { get; init; }

    /// <summary>Make so many texts and give the likeliest; needs sampling and no seed, and is not for streams.</summary>
    public int? BestOf { get; init; }

    /// <summary>Also report the input's tokens with their log-probabilities; not for streams.</summary>
    public bool? DecoderInputDetails { get; init; }

    /// <summary>Report the tokens and the reason of the end.</summary>
    public bool? Details { get; init; }

    /// <summary>Draw tokens at random.</summary>
    public bool? DoSample { get; init; }

    /// <summary>-2 to 2: taken off a token for each time that it stands in the text already.</summary>
    public double? FrequencyPenalty { get; init; }

    /// <summary>Refused until constrained decoding is built.</summary>
    public JsonElement? Grammar { get; init; }

    /// <summary>Maximum new tokens. Default 1024; in any case no more than the context has room for.</summary>
    public long? MaxNewTokens { get; init; }

    /// <summary>Above 0; 1 is none.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Whether the input is put before the new text. Default false.</summary>
    public bool? ReturnFullText { get; init; }

    /// <summary>0 or more; makes a sampled text repeatable. Absent: drawn, and reported with the details.</summary>
    public long? Seed { get; init; }

    /// <summary>Up to four texts that end the generation; the one that did stays in the text.</summary>
    public StopInput? Stop { get; init; }

    /// <summary>Above 0, up to 100; samples unless it is 1.</summary>
    public double? Temperature { get; init; }

    /// <summary>Above 0: only the likeliest; samples.</summary>
    public int? TopK { get; init; }

    /// <summary>Up to 20: report so many of the likeliest tokens at each place.</summary>
    public int? TopNTokens { get; init; }

    /// <summary>Above 0, up to 1; samples below 1.</summary>
    public double? TopP { get; init; }

    /// <summary>Keep the last so many tokens of the input.</summary>
    public int? Truncate { get; init; }

    /// <summary>Above 0, up to 1; samples below 1.</summary>
    public double? TypicalP { get; init; }

    /// <summary>Refused: texts are not watermarked here.</summary>
    public JsonElement? Watermark { get; init; }

    /// <summary>Arguments without an effect here; named in the header <c>X-LlmOs-Warning</c>.</summary>
    [JsonExtensionData]
    public IDictionary<string, JsonElement>? Unknown { get; init; }
}

/// <summary>A continued text.</summary>
internal sealed record TgiReply(string GeneratedText, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] TgiDetails? Details);

/// <summary>How a text came about.</summary>
/// <param name="FinishReason"><c>length</c>, <c>eos_token</c> or <c>stop_sequence</c>.</param>
/// <param name="Seed">By which it can be made again; null for a greedy one.</param>
/// <param name="Prefill">The input's tokens, with <c>decoder_input_details</c>.</param>
/// <param name="BestOfSequences">The other texts, with <c>best_of</c>.</param>
/// <param name="TopTokens">For each token the likeliest at its place, with <c>top_n_tokens</c>.</param>
internal sealed record TgiDetails(
    string FinishReason,
    int GeneratedTokens,
    long? Seed,
    IReadOnlyList<TgiInputToken> Prefill,
    IReadOnlyList<TgiToken> Tokens,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<TgiSequence>? BestOfSequences,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<IReadOnlyList<TgiToken>>? TopTokens);

/// <summary>A text that <c>best_of</c> made and did not take.</summary>
internal sealed record TgiSequence(
    string GeneratedText,
    string FinishReason,
    int GeneratedTokens,
    long? Seed,
    IReadOnlyList<TgiInputToken> Prefill,
    IReadOnlyList<TgiToken> Tokens,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<IReadOnlyList<TgiToken>>? TopTokens);

/// <summary>A token of the input; the first has no log-probability.</summary>
internal sealed record TgiInputToken(int Id, string Text, float? Logprob);

/// <summary>A new token.</summary>
/// <param name="Special">It ends the text and is no part of it, or is another one with a meaning of its own.</param>
internal sealed record TgiToken(int Id, string Text, float Logprob, bool Special);

/// <summary>One new token as it comes; the last has the whole text and, if wanted, the details.</summary>
internal sealed record TgiStreamItem(
    int Index,
    TgiToken Token,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<TgiToken>? TopTokens,
    string? GeneratedText,
    TgiStreamDetails? Details);

/// <param name="InputLength">Tokens of the input.</param>
internal sealed record TgiStreamDetails(string FinishReason, int GeneratedTokens, long? Seed, int InputLength);

/// <summary>What is served, and within which limits.</summary>
/// <param name="ModelSha">The SHA-256 of the model's first file of weights.</param>
/// <param name="MaxClientBatchSize">Texts of one request.</param>
/// <param name="ValidationWorkers">Threads that check requests.</param>
internal sealed record TgiInfo(
    string ModelId,
    string? ModelSha,
    string ModelPipelineTag,
    int MaxConcurrentRequests,
    int MaxBestOf,
    int MaxStopSequences,
    int MaxInputTokens,
    int MaxTotalTokens,
    int ValidationWorkers,
    int MaxClientBatchSize,
    string Router,
    string Version);

/// <summary>A refusal.</summary>
/// <param name="ErrorType"><c>validation</c>, <c>overloaded</c>, <c>generation</c>, <c>incomplete_generation</c>, or a word of the platform's where the dialect has none.</param>
internal sealed record TgiError(string Error, string ErrorType);
