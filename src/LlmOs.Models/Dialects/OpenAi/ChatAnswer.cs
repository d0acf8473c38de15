using System.Runtime.CompilerServices;
using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Writes the replies of a run in the shape of <c>/v1/chat/completions</c>, whole or in chunks.</summary>
internal sealed class ChatAnswer(AnswerHead head, InferenceRun run, ChatPlan plan)
{
    private const string Assistant = "assistant";

    public async Task<ChatCompletion> WholeAsync(CancellationToken cancel)
    {
        var replies = Enumerable.Range(0, plan.Order.Choices).Select(_ => new Reply()).ToArray();
        await foreach (var (index, piece) in run.Pieces(cancel))
        {
            replies[index].Add(piece);
        }

        var choices = replies.Select((reply, index) =>
            new ChatChoice(index, new ChatReply(Assistant, reply.Text, Refusal: null), Logprobs(reply.Pieces), reply.FinishReason)
            {
                TokenIds = plan.ReturnTokenIds ? reply.Ids : null,
                PromptTokenIds = plan.ReturnTokenIds ? run.Prompts[0] : null,
                SequenceScore = run.ScoreOf(index),
            });
        return new ChatCompletion(head.Id, "chat.completion", head.Created, head.Model, [.. choices], run.Usage());
    }

    /// <summary>The role first, then what is said, then the reason of the end; each choice has its own.</summary>
    public async IAsyncEnumerable<object> Chunks([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var index = 0; index < plan.Order.Choices; index++)
        {
            yield return Chunk(new ChatChunkChoice(index, new ChatDelta { Role = Assistant, Content = "" }, Logprobs: null, FinishReason: null)
            {
                PromptTokenIds = plan.ReturnTokenIds ? run.Prompts[0] : null,
            });
        }

        await foreach (var (index, piece) in run.Pieces(cancel))
        {
            if (piece.Text.Length > 0 || plan.Logprobs || plan.ReturnTokenIds)
            {
                yield return Chunk(new ChatChunkChoice(index, new ChatDelta { Content = piece.Text }, Logprobs([piece]), FinishReason: null)
                {
                    TokenIds = plan.ReturnTokenIds ? [piece.Token.Token] : null,
                });
            }

            if (piece.Finish is not null)
            {
                yield return Chunk(new ChatChunkChoice(index, new ChatDelta(), Logprobs: null, Reply.Word(piece.Finish)));
            }
        }

        if (plan.IncludeUsage)
        {
            yield return new ChatUsageChunk(head.Id, ChunkKind, head.Created, head.Model, [], run.Usage());
        }
    }

    private const string ChunkKind = "chat.completion.chunk";

    private ChatChunk Chunk(ChatChunkChoice choice) => plan.IncludeUsage
        ? new ChatUsageChunk(head.Id, ChunkKind, head.Created, head.Model, [choice], Usage: null)
        : new ChatChunk(head.Id, ChunkKind, head.Created, head.Model, [choice]);

    /// <summary>Null when nobody asked; the end token is no part of the reply.</summary>
    private ChatLogprobs? Logprobs(IReadOnlyList<TextPiece> pieces) => plan.Logprobs
        ? new ChatLogprobs([.. pieces.Where(p => !p.IsEndToken).Select(p => Entry(p.Token))])
        : null;

    private TokenLogprobEntry Entry(GenerationPiece piece)
    {
        var texts = run.Model.Texts!; // a chat needs a tokenizer, so this run has one
        return new TokenLogprobEntry(
            texts.Text(piece.Token),
            piece.Logprob ?? 0,
            Bytes(piece.Token),
            [.. piece.TopLogprobs.Select(t => new TopLogprobEntry(texts.Text(t.Token), t.Logprob, Bytes(t.Token)))]);

        int[]? Bytes(int token) => texts.Bytes(token) is { } bytes ? [.. bytes.Select(b => (int)b)] : null;
    }
}
