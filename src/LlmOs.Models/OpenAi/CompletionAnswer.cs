using System.Runtime.CompilerServices;
using System.Text;
using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Models.Serving;

namespace LlmOs.Models.OpenAi;

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
            foreach (var reply in replies.Skip(prompt * made).Take(made).OrderByDescending(r => made > plan.Shown ? r.MeanLogprob : 0).Take(plan.Shown))
            {
                var logprobs = new CompletionLogprobWriter(run.Model, plan.Logprobs, echo.Text.Length);
                logprobs.AddAll(echo.Scores);
                reply.Pieces.ForEach(logprobs.Add);
                choices.Add(new CompletionChoice(echo.Text + reply.Text, choices.Count, logprobs.Take(), reply.FinishReason)
                {
                    TokenIds = ShowsIds ? reply.Ids : null,
                    PromptTokenIds = ShowsIds ? run.Prompts[prompt] : null,
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

/// <summary>What the chunks of one answer share.</summary>
/// <param name="Model">The name that was asked for.</param>
internal sealed record AnswerHead(string Id, long Created, string Model);

/// <summary>One reply that is being put together.</summary>
internal sealed class Reply
{
    private readonly StringBuilder _text = new();

    public List<TextPiece> Pieces { get; } = [];

    public string Text => _text.ToString();

    public IReadOnlyList<int> Ids => [.. Pieces.Select(p => p.Token.Token)];

    public string FinishReason => Word(Pieces.Count == 0 ? Engine.FinishReason.Length : Pieces[^1].Finish) ?? FinishReasons.Length;

    /// <summary>By which replies are ranked.</summary>
    public double MeanLogprob => Pieces.Count == 0 ? 0 : Pieces.Average(p => p.Token.Logprob ?? 0);

    public void Add(TextPiece piece)
    {
        Pieces.Add(piece);
        _text.Append(piece.Text);
    }

    /// <summary>The word on the wire; null while the reply goes on.</summary>
    public static string? Word(Engine.FinishReason? finish) => finish is not { } reason ? null : reason switch
    {
        Engine.FinishReason.Stop => FinishReasons.Stop,
        Engine.FinishReason.Length => FinishReasons.Length,
    };
}

/// <summary>Collects log-probabilities in the old completion shape; <see cref="Take"/> gives what came since the last time.</summary>
/// <param name="offset">Characters before the first reply token.</param>
internal sealed class CompletionLogprobWriter(LoadedModel model, int? top, int offset)
{
    private List<string> _tokens = [];
    private List<float?> _logprobs = [];
    private List<IReadOnlyDictionary<string, float>?> _tops = [];
    private List<int> _offsets = [];
    private int _offset = offset;

    /// <summary>The tokens of an echoed prompt, from the start of the text.</summary>
    public void AddAll(IReadOnlyList<PromptScore> scores)
    {
        var at = 0;
        foreach (var score in scores)
        {
            Add(score.Token, score.Logprob, score.Top, at);
            at = Math.Min(_offset, at + (model.Tokenizer?.IsSpecial(score.Token) == false ? TextOf(score.Token).Length : 0));
        }
    }

    public void Add(TextPiece piece)
    {
        // The end token is no part of the text.
        if (!piece.IsEndToken)
        {
            Add(piece.Token.Token, piece.Token.Logprob, piece.Token.TopLogprobs, _offset);
        }

        _offset += piece.TokenText.Length;
    }

    /// <summary>Null when nobody asked for log-probabilities.</summary>
    public CompletionLogprobs? Take()
    {
        if (top is null)
        {
            return null;
        }

        var taken = new CompletionLogprobs(_tokens, _logprobs, _tops, _offsets);
        (_tokens, _logprobs, _tops, _offsets) = ([], [], [], []);
        return taken;
    }

    private void Add(int token, float? logprob, IReadOnlyList<TokenLogprob> tops, int offset)
    {
        if (top is null)
        {
            return;
        }

        _tokens.Add(TextOf(token));
        _logprobs.Add(logprob);
        _offsets.Add(offset);
        if (logprob is null)
        {
            _tops.Add(null);
            return;
        }

        var byText = new Dictionary<string, float>();
        foreach (var candidate in tops)
        {
            // Different tokens can look the same; the likelier came first.
            byText.TryAdd(TextOf(candidate.Token), candidate.Logprob);
        }

        _tops.Add(byText);
    }

    private string TextOf(int token) => model.Texts?.Text(token) ?? token.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
