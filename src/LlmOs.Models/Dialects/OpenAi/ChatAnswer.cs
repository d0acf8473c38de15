using System.Runtime.CompilerServices;
using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Writes the replies of a run in the shape of <c>/v1/chat/completions</c>, whole or in chunks.</summary>
internal sealed class ChatAnswer(AnswerHead head, ITextRun run, ChatPlan plan)
{
    private const string Assistant = "assistant";

    public async Task<ChatCompletion> WholeAsync(CancellationToken cancel)
    {
        var replies = Enumerable.Range(0, plan.Choices).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var choices = replies.Select((reply, index) =>
            new ChatChoice(index, new ChatReply(Assistant, reply.Text, Refusal: null), Logprobs(reply.Pieces), FinishWords.Of(reply))
            {
                TokenIds = plan.ReturnTokenIds ? reply.Ids : null,
                PromptTokenIds = plan.ReturnTokenIds ? run.Prompts[0] : null,
                SequenceScore = reply.Score,
            });
        return new ChatCompletion(head.Id, "chat.completion", head.Created, head.Model, [.. choices], (await run.EndAsync()).ToUsage());
    }

    /// <summary>The role first, then what is said, then the reason of the end; each choice has its own.</summary>
    public async IAsyncEnumerable<object> Chunks([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var index = 0; index < plan.Choices; index++)
        {
            yield return Chunk(new ChatChunkChoice(index, new ChatDelta { Role = Assistant, Content = "" }, Logprobs: null, FinishReason: null)
            {
                PromptTokenIds = plan.ReturnTokenIds ? run.Prompts[0] : null,
            });
        }

        await foreach (var piece in run.Pieces(cancel))
        {
            var index = piece.Index;
            if (piece.Text.Length > 0 || plan.Logprobs || plan.ReturnTokenIds)
            {
                yield return Chunk(new ChatChunkChoice(index, new ChatDelta { Content = piece.Text }, Logprobs([piece]), FinishReason: null)
                {
                    TokenIds = plan.ReturnTokenIds ? [piece.Token] : null,
                });
            }

            if (piece.Finish is not null)
            {
                yield return Chunk(new ChatChunkChoice(index, new ChatDelta(), Logprobs: null, FinishWords.Of(piece.Finish)));
            }
        }

        var usage = await run.EndAsync();
        if (plan.IncludeUsage)
        {
            yield return new ChatUsageChunk(head.Id, ChunkKind, head.Created, head.Model, [], usage.ToUsage());
        }
    }

    private const string ChunkKind = "chat.completion.chunk";

    private ChatChunk Chunk(ChatChunkChoice choice) => plan.IncludeUsage
        ? new ChatUsageChunk(head.Id, ChunkKind, head.Created, head.Model, [choice], Usage: null)
        : new ChatChunk(head.Id, ChunkKind, head.Created, head.Model, [choice]);

    /// <summary>An entry for each id, a closing end token's too; null when nobody asked.</summary>
    private ChatLogprobs? Logprobs(IReadOnlyList<GeneratedPiece> pieces) => plan.Logprobs
        ? new ChatLogprobs([.. pieces.Select(p => Entry(p.Shown!))])
        : null;

    private static TokenLogprobEntry Entry(ShownToken token)
    {
        return new TokenLogprobEntry(
            token.Text,
            token.Logprob ?? 0,
            Bytes(token),
            [.. token.Top.Select(t => new TopLogprobEntry(t.Text, t.Logprob ?? 0, Bytes(t)))]);

        static int[]? Bytes(ShownToken token) => token.Bytes is { } bytes ? [.. bytes.Select(b => (int)b)] : null;
    }
}
