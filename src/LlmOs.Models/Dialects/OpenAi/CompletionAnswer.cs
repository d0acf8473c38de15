using System.Runtime.CompilerServices;
using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Writes the replies of a run in the shape of <c>/v1/completions</c>, whole or in chunks.</summary>
internal sealed class CompletionAnswer(AnswerHead head, ITextRun run, CompletionPlan plan)
{
    private const string Kind = "text_completion";

    public async Task<Completion> WholeAsync(CancellationToken cancel)
    {
        var made = plan.Choices;
        var replies = Enumerable.Range(0, run.Prompts.Count * made).Select(_ => new Reply()).ToArray();
        await foreach (var piece in run.Pieces(cancel))
        {
            replies[piece.Index].Add(piece);
        }

        var choices = new List<CompletionChoice>();
        for (var prompt = 0; prompt < run.Prompts.Count; prompt++)
        {
            var echo = await EchoAsync(prompt, cancel);
            foreach (var reply in replies.Skip(prompt * made).Take(made).OrderByDescending(r => made > plan.Shown ? r.MeanLogprob : 0).Take(plan.Shown))
            {
                var logprobs = new CompletionLogprobWriter(plan.Logprobs is not null, CharacterPlaces.Count(echo.Text));
                logprobs.AddAll(echo);
                reply.Pieces.ForEach(logprobs.Add);
                choices.Add(new CompletionChoice(echo.Text + reply.Text, choices.Count, logprobs.Take(), FinishWords.Of(reply))
                {
                    TokenIds = ShowsIds ? reply.Ids : null,
                    PromptTokenIds = ShowsIds ? run.Prompts[prompt] : null,
                    SequenceScore = reply.Score,
                });
            }
        }

        return new Completion(head.Id, Kind, head.Created, head.Model, choices, (await run.EndAsync()).ToUsage());
    }

    public async IAsyncEnumerable<object> Chunks([EnumeratorCancellation] CancellationToken cancel)
    {
        var made = plan.Choices;
        var writers = new CompletionLogprobWriter[run.Prompts.Count * made];
        for (var index = 0; index < writers.Length; index++)
        {
            var echo = await EchoAsync(index / made, cancel);
            writers[index] = new CompletionLogprobWriter(plan.Logprobs is not null, CharacterPlaces.Count(echo.Text));
            writers[index].AddAll(echo);
            if (plan.Echo || ShowsIds)
            {
                var finish = plan.Request.MaxTokens == 0 ? FinishReasons.Length : null;
                yield return Chunk(new CompletionChoice(echo.Text, index, writers[index].Take(), finish)
                {
                    TokenIds = ShowsIds ? [] : null,
                    PromptTokenIds = ShowsIds ? run.Prompts[index / made] : null,
                });
            }
        }

        await foreach (var piece in run.Pieces(cancel))
        {
            var index = piece.Index;
            writers[index].Add(piece);
            if (piece.Text.Length > 0 || piece.Finish is not null || plan.Logprobs is not null || ShowsIds)
            {
                yield return Chunk(new CompletionChoice(piece.Text, index, writers[index].Take(), FinishWords.Of(piece.Finish))
                {
                    TokenIds = ShowsIds ? [piece.Token] : null,
                    SequenceScore = piece.Score,
                });
            }
        }

        var usage = await run.EndAsync();
        if (plan.IncludeUsage)
        {
            yield return new CompletionUsageChunk(head.Id, Kind, head.Created, head.Model, [], usage.ToUsage());
        }
    }

    /// <summary>Ids are all that a model without a tokenizer has to say.</summary>
    private bool ShowsIds => plan.ReturnTokenIds || !run.HasTokenizer;

    private CompletionChunk Chunk(CompletionChoice choice) => plan.IncludeUsage
        ? new CompletionUsageChunk(head.Id, Kind, head.Created, head.Model, [choice], Usage: null)
        : new CompletionChunk(head.Id, Kind, head.Created, head.Model, [choice]);

    /// <summary>The prompt's own text and scores, as far as they were asked for.</summary>
    private async Task<PromptEcho> EchoAsync(int prompt, CancellationToken cancel) =>
        plan.Echo ? await run.EchoAsync(prompt, cancel) : new PromptEcho("", [], []);
}
