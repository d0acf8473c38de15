using System.Runtime.CompilerServices;
using LlmOs.Contracts.OpenAi;
using LlmOs.Models.Generation;

namespace LlmOs.Models.Dialects.OpenAi;

/// <summary>Writes the replies of a run in the shape of <c>/v1/completions</c>, whole or in chunks.</summary>
internal sealed class CompletionAnswer(AnswerHead head, InferenceRun run, CompletionPlan plan)
{
    private const string Kind = "text_completion";

    public async Task<Completion> WholeAsync(CancellationToken cancel)
    {
        var made = plan.Order.Choices;
        var replies = Enumerable.Range(0, run.Prompts.Count * made).Select(_ => new Reply()).ToArray();
        await foreach (var (index, piece) in run.Pieces(cancel))
        {
            replies[index].Add(piece);
        }

        var choices = new List<CompletionChoice>();
        for (var prompt = 0; prompt < run.Prompts.Count; prompt++)
        {
            var echo = await EchoAsync(prompt, cancel);
            foreach (var (reply, index) in replies.Select((r, i) => (r, i)).Skip(prompt * made).Take(made).OrderByDescending(r => made > plan.Shown ? r.r.MeanLogprob : 0).Take(plan.Shown))
            {
                var logprobs = new CompletionLogprobWriter(run.Model, plan.Logprobs, echo.Text.Length);
                logprobs.AddAll(echo.Scores);
                reply.Pieces.ForEach(logprobs.Add);
                choices.Add(new CompletionChoice(echo.Text + reply.Text, choices.Count, logprobs.Take(), reply.FinishReason)
                {
                    TokenIds = ShowsIds ? reply.Ids : null,
                    PromptTokenIds = ShowsIds ? run.Prompts[prompt] : null,
                    SequenceScore = run.ScoreOf(index),
                });
            }
        }

        return new Completion(head.Id, Kind, head.Created, head.Model, choices, run.Usage());
    }

    public async IAsyncEnumerable<object> Chunks([EnumeratorCancellation] CancellationToken cancel)
    {
        var made = plan.Order.Choices;
        var writers = new CompletionLogprobWriter[run.Prompts.Count * made];
        for (var index = 0; index < writers.Length; index++)
        {
            var echo = await EchoAsync(index / made, cancel);
            writers[index] = new CompletionLogprobWriter(run.Model, plan.Logprobs, echo.Text.Length);
            writers[index].AddAll(echo.Scores);
            if (plan.Echo || ShowsIds)
            {
                var finish = plan.Order.Request.MaxTokens == 0 ? FinishReasons.Length : null;
                yield return Chunk(new CompletionChoice(echo.Text, index, writers[index].Take(), finish)
                {
                    TokenIds = ShowsIds ? [] : null,
                    PromptTokenIds = ShowsIds ? run.Prompts[index / made] : null,
                });
            }
        }

        await foreach (var (index, piece) in run.Pieces(cancel))
        {
            writers[index].Add(piece);
            if (piece.Text.Length > 0 || piece.Finish is not null || plan.Logprobs is not null || ShowsIds)
            {
                yield return Chunk(new CompletionChoice(piece.Text, index, writers[index].Take(), Reply.Word(piece.Finish))
                {
                    TokenIds = ShowsIds ? [piece.Token.Token] : null,
                    SequenceScore = piece.Finish is null ? null : run.ScoreOf(index),
                });
            }
        }

        if (plan.IncludeUsage)
        {
            yield return new CompletionUsageChunk(head.Id, Kind, head.Created, head.Model, [], run.Usage());
        }
    }

    /// <summary>Ids are all that a model without a tokenizer has to say.</summary>
    private bool ShowsIds => plan.ReturnTokenIds || run.Model.Tokenizer is null;

    private CompletionChunk Chunk(CompletionChoice choice) => plan.IncludeUsage
        ? new CompletionUsageChunk(head.Id, Kind, head.Created, head.Model, [choice], Usage: null)
        : new CompletionChunk(head.Id, Kind, head.Created, head.Model, [choice]);

    /// <summary>The prompt's own text and scores, as far as they were asked for.</summary>
    private async Task<(string Text, IReadOnlyList<PromptScore> Scores)> EchoAsync(int prompt, CancellationToken cancel)
    {
        if (!plan.Echo)
        {
            return ("", []);
        }

        var ids = run.Prompts[prompt];
        var text = plan.Prompts[prompt].Text ?? run.Model.Tokenizer?.Decode(ids, skipSpecialTokens: true) ?? "";
        if (plan.Logprobs is not { } top)
        {
            return (text, []);
        }

        var logits = await run.Model.Engine.LogitsAsync(ids, cancel);
        return (text, PromptScores.Of(ids, logits, top));
    }
}
