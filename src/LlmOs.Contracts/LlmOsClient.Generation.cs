using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using LlmOs.Contracts.OpenAi;

namespace LlmOs.Contracts;

/// <summary>One message of a conversation.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
public sealed record ChatTurn(string Role, string Content);

/// <summary>How a reply is generated; what is null is left to the server.</summary>
public sealed record GenerationSettings
{
    public int? MaxTokens { get; init; }

    /// <summary>0 is greedy.</summary>
    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public long? Seed { get; init; }

    /// <summary>Whether each piece says how many tokens it holds.</summary>
    public bool CountTokens { get; init; }

    /// <summary>How many candidates each token's place is shown with, at most 5; null: no probabilities.</summary>
    public int? Candidates { get; init; }
}

/// <summary>One piece of a streamed reply.</summary>
/// <param name="Text">New text; empty in the pieces that only close the reply.</param>
/// <param name="FinishReason"><c>stop</c> or <c>length</c>, on one of the last pieces.</param>
/// <param name="CompletionTokens">Tokens of the whole reply, on the very last piece.</param>
/// <param name="Tokens">Tokens of this piece, where <see cref="GenerationSettings.CountTokens"/> asked for them.</param>
/// <param name="Usage">What the reply cost, on the very last piece.</param>
/// <param name="Probabilities">Of each token of this piece, where <see cref="GenerationSettings.Candidates"/> asked for them.</param>
public sealed record ReplyPiece(
    string Text, string? FinishReason, int? CompletionTokens, int Tokens = 0, Usage? Usage = null, IReadOnlyList<TokenLogprobEntry>? Probabilities = null);

/// <content>Replies, piece by piece.</content>
public sealed partial class LlmOsClient
{
    /// <summary>A reply to a conversation, piece by piece. Leaving the loop stops the generation.</summary>
    public IAsyncEnumerable<ReplyPiece> ChatAsync(string model, IReadOnlyList<ChatTurn> messages, GenerationSettings settings, CancellationToken cancel) =>
        StreamAsync("v1/chat/completions", GenerationBody.Of(model, messages, null, settings), cancel);

    /// <summary>The continuation of a text, piece by piece. Leaving the loop stops the generation.</summary>
    public IAsyncEnumerable<ReplyPiece> CompleteAsync(string model, string prompt, GenerationSettings settings, CancellationToken cancel) =>
        StreamAsync("v1/completions", GenerationBody.Of(model, null, prompt, settings), cancel);

    private async IAsyncEnumerable<ReplyPiece> StreamAsync(string path, GenerationBody body, [EnumeratorCancellation] CancellationToken cancel)
    {
        using var response = await SendAsync(HttpMethod.Post, path, body, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(cancel))
        {
            if (item.Data == "[DONE]")
            {
                yield break;
            }

            var chunk = Read<Chunk>(item.Data);
            if (chunk.Error is { } error)
            {
                throw new LlmOsApiException(response.StatusCode, error.Code ?? "stream_failed", error.Message ?? "The server ended the reply with an error.");
            }

            var choice = chunk.Choices is [var first, ..] ? first : null;
            yield return new ReplyPiece(choice?.Delta?.Content ?? choice?.Text ?? "", choice?.FinishReason, chunk.Usage?.CompletionTokens, choice?.TokenIds?.Count ?? 0, chunk.Usage, choice?.Logprobs?.Entries());
        }

        throw new HttpRequestException("The server closed the connection in the middle of a reply.");
    }

    /// <summary>The fields of both routes; what is null is not sent.</summary>
    private sealed record GenerationBody(
        string Model,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ChatTurn>? Messages,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Prompt,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MaxTokens,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? Temperature,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] double? TopP,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Seed,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? ReturnTokenIds,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] JsonElement? Logprobs,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? TopLogprobs,
        bool Stream,
        StreamOptions StreamOptions)
    {
        public static GenerationBody Of(string model, IReadOnlyList<ChatTurn>? messages, string? prompt, GenerationSettings settings) =>
            new(
                model,
                messages,
                prompt,
                settings.MaxTokens,
                settings.Temperature,
                settings.TopP,
                settings.Seed,
                settings.CountTokens ? true : null,
                LogprobsOf(messages is not null, settings.Candidates),
                messages is not null ? settings.Candidates : null,
                Stream: true,
                new StreamOptions(IncludeUsage: true));

        /// <summary>A switch beside <c>top_logprobs</c> on chat, the number itself on completions.</summary>
        private static JsonElement? LogprobsOf(bool isChat, int? candidates) => candidates is not { } number
            ? null
            : isChat ? JsonSerializer.SerializeToElement(true) : JsonSerializer.SerializeToElement(number);
    }

    private sealed record StreamOptions(bool IncludeUsage);

    private sealed record Chunk(IReadOnlyList<ChunkChoice>? Choices, Usage? Usage, ChunkError? Error);

    private sealed record ChunkChoice(string? Text, ChunkDelta? Delta, string? FinishReason, IReadOnlyList<int>? TokenIds, ChunkLogprobs? Logprobs);

    /// <summary>Of chat: <see cref="Content"/>. Of completions: parallel lists.</summary>
    private sealed record ChunkLogprobs(
        IReadOnlyList<TokenLogprobEntry>? Content,
        IReadOnlyList<string>? Tokens,
        IReadOnlyList<float?>? TokenLogprobs,
        IReadOnlyList<IReadOnlyDictionary<string, float>?>? TopLogprobs)
    {
        public IReadOnlyList<TokenLogprobEntry> Entries()
        {
            if (Content is not null || Tokens is null)
            {
                return Content ?? [];
            }

            return [.. Tokens.Select((token, i) => new TokenLogprobEntry(token, TokenLogprobs?[i] ?? 0, null, Top(i)))];
        }

        private List<TopLogprobEntry> Top(int i) =>
            TopLogprobs?[i] is { } top ? [.. top.OrderByDescending(t => t.Value).Select(t => new TopLogprobEntry(t.Key, t.Value, null))] : [];
    }

    private sealed record ChunkDelta(string? Content);

    private sealed record ChunkError(string? Message, string? Code);
}
