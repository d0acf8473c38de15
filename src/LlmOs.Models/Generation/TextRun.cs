using System.Runtime.CompilerServices;
using LlmOs.Engine;
using LlmOs.Formats.Text;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>How much one request may have at a time.</summary>
/// <param name="Together">Its texts that are written, or its prompts that are scored, at a time.</param>
/// <param name="Scores">Log-probabilities of prompts that are held, by all requests together.</param>
internal sealed record RunLimits(int Together, ScoreLimit Scores);

/// <summary>One request for texts at work on a model of this process.</summary>
internal sealed class TextRun : ITextRun
{
    private readonly ModelLease _lease;
    private readonly RunMeter _meter;
    private readonly RunEnd _end;
    private readonly GenerationOrder _order;
    private readonly EngineCaller _caller;
    private readonly RunLimits _limits;
    private readonly Deadline _deadline;
    private readonly TokenDisplay _display;
    private readonly bool _shows;
    private IReadOnlyList<ChoiceJob> _jobs = [];
    private EnginePlace? _place;
    private EchoScores? _scores;
    private IDisposable? _scoresHeld;
    private IReplySet? _set;

    private TextRun(ModelLease lease, GenerationOrder order, GenerationCaller caller, RunLimits limits, Deadline deadline, Func<GenerationUsage, Task> record)
    {
        (_lease, _order, _caller, _limits, _deadline, _meter) = (lease, order, caller.ToEngine(), limits, deadline, new RunMeter());
        _display = new TokenDisplay(lease.Model);
        _shows = order.Request.TopLogprobs is not null;
        _end = new RunEnd(StopAsync, record, lease);
    }

    public ServableModel Model => _order.Model;

    public IReadOnlyList<int[]> Prompts { get; private set; } = [];

    public int Choices { get; private set; }

    public bool HasTokenizer => _lease.Model.Tokenizer is not null;

    public bool KnowsTools => _lease.Model.Chat?.KnowsTools ?? false;

    /// <summary>Takes over the lease and submits the first texts.</summary>
    /// <param name="deadline">Disposed of with the run.</param>
    /// <param name="record">Keeps the usage.</param>
    public static async Task<TextRun> StartAsync(
        ModelLease lease, GenerationOrder order, GenerationCaller caller, RunLimits limits, Deadline deadline, Func<GenerationUsage, Task> record, CancellationToken cancel)
    {
        TextRun? run = null;
        try
        {
            run = new TextRun(lease, order, caller, limits, deadline, record);
            run.Start(cancel);
            return run;
        }
        catch (Exception fault)
        {
            // Nothing was answered, so nothing is charged.
            await (run?.ReleaseAsync() ?? Task.FromResult(EngineUsage.None)).ConfigureAwait(false);
            lease.Dispose();
            if (fault is not LlmOsException && InferenceFaults.AsRefusal(fault) is { } refusal)
            {
                throw refusal;
            }

            throw;
        }
    }

    public IAsyncEnumerable<GeneratedPiece> Pieces(CancellationToken cancel) => _deadline.Within(AllPieces, cancel);

    private async IAsyncEnumerable<GeneratedPiece> AllPieces([EnumeratorCancellation] CancellationToken cancel)
    {
        if (_scores is not null)
        {
            // Nobody reads a reply before the scores are out, so none begins before: it would wait for its reader in a slot that
            // the scores wait for.
            await _scores.AllAsync().WaitAsync(cancel).ConfigureAwait(false);
            _set = Begin();
        }

        if (_set is null)
        {
            yield break;
        }

        await foreach (var (index, piece, score) in _set.Pieces(cancel).ConfigureAwait(false))
        {
            var token = piece.Token;
            yield return new GeneratedPiece(
                index,
                token.Token,
                piece.Text,
                CharacterPlaces.Count(piece.TokenText),
                piece.Finish,
                piece.ByStopText,
                piece.IsEndToken,
                _shows ? _display.Show(token.Token, token.Logprob, token.TopLogprobs) : null,
                score);
        }
    }

    public async Task<PromptEcho> EchoAsync(int prompt, CancellationToken cancel)
    {
        var ids = Prompts[prompt];
        var text = _order.Prompts[prompt].Text ?? _lease.Model.Tokenizer?.Decode(ids, skipSpecialTokens: true) ?? "";
        if (_scores is null)
        {
            return new PromptEcho(text, [], []);
        }

        var scores = await _deadline.WithinAsync(_scores.OfAsync(prompt).WaitAsync, cancel).ConfigureAwait(false);
        IReadOnlyList<ShownToken> tokens = [_display.Show(ids[0], logprob: null, []), .. scores.Select(s => _display.Show(s.Token, (float)s.Logprob, s.Top))];
        return new PromptEcho(text, tokens, Starts(ids, text));
    }

    /// <summary>Where each token's text begins: a token that is a part of a character adds nothing until the last part is there.</summary>
    private int[] Starts(int[] ids, string text)
    {
        var starts = new int[ids.Length];
        if (_lease.Model.Tokenizer is not { } tokenizer)
        {
            return starts;
        }

        var decoder = new StreamingDecoder(tokenizer, skipSpecialTokens: true);
        var (at, end) = (0, CharacterPlaces.Count(text));
        for (var i = 0; i < ids.Length; i++)
        {
            starts[i] = at;
            at = Math.Min(end, at + CharacterPlaces.Count(decoder.Append(ids[i])));
        }

        return starts;
    }

    public Task<GenerationUsage> EndAsync() => _end.Task;

    public async ValueTask DisposeAsync() => await EndAsync().ConfigureAwait(false);

    private void Start(CancellationToken cancel)
    {
        var model = _lease.Model;
        _jobs = _order.Seq2Seq is null ? Continue(model, cancel) : Translate(model);
        // From here on nothing of the request is refused for want of room, however many parts it has.
        _place = model.Engine.Enter(_caller);
        if (_order.PromptLogprobs is not { } top)
        {
            _set = Begin();
            return;
        }

        _scoresHeld = _limits.Scores.Take(Prompts.Sum(prompt => (long)prompt.Length) * (1 + top));
        _scores = EchoScores.Start(
            model, [.. Prompts.Select(prompt => new ScoringRequest { Tokens = prompt, Top = top, Caller = _caller })], _limits.Together, _place, _meter);
    }

    /// <summary>Stops the engine's work. It lets go within a step, so another may have the place at once.</summary>
    private async Task<EngineUsage> ReleaseAsync()
    {
        _place?.Dispose();
        _scoresHeld?.Dispose();
        using (_meter)
        {
            return await _meter.EndAsync().ConfigureAwait(false);
        }
    }

    private IReplySet? Begin() => _jobs switch
    {
        [] => null,
        [{ Request.Beams: null }, ..] => ChoiceSet.Start(_lease.Model, _jobs, _limits.Together, _place!, _meter),
        _ => BeamSet.Start(_lease.Model, _jobs, Choices, _limits.Together, _place!, _meter),
    };

    /// <summary>The jobs of a completion or a chat; none where no new token is asked for.</summary>
    private List<ChoiceJob> Continue(LoadedModel model, CancellationToken cancel)
    {
        (Prompts, Choices) = (PromptReader.Read(model, _order, cancel), _order.Choices);
        if (_order.Stated is not null)
        {
            return JobsOf(StatedReader.Read(model, _order, Prompts), at => () => TextGenerator.Assembler(model, Prompts[at], _order.Request));
        }

        if (_order.Request.MaxTokens == 0)
        {
            return [];
        }

        if (_order.Request.Beams is { } beams && beams.Beams > model.Engine.Slots)
        {
            var field = _order.ArgumentsPath + "num_beams";
            throw LlmOsException.Invalid(field, $"'{field}' is {beams.Beams}; this server runs {model.Engine.Slots} sequences together (Engine:Slots).");
        }

        var requests = Prompts.Select(p => (Prompt: p, Text: Limit(model, p))).ToList();
        return JobsOf(requests.ConvertAll(r => TextGenerator.ToEngine(model, r.Prompt, r.Text)), at => () => TextGenerator.Assembler(model, Prompts[at], requests[at].Text));
    }

    /// <summary>The jobs of a task of an encoder-decoder.</summary>
    private List<ChoiceJob> Translate(LoadedModel model)
    {
        var reading = Seq2SeqReader.Read(model, _order);
        (Prompts, Choices) = (reading.Sources, reading.Choices);
        return JobsOf(reading.Requests, at => () => TextGenerator.Assembler(model, Prompts[at], _order.Request));
    }

    /// <summary>A beam search makes all choices of a prompt; without one each is a job of its own.</summary>
    private List<ChoiceJob> JobsOf(IReadOnlyList<GenerationRequest> requests, Func<int, Func<ReplyAssembler>> assembler) =>
        [.. requests.SelectMany((request, prompt) => Enumerable.Range(0, request.Beams is null ? Choices : 1).Select(choice =>
            new ChoiceJob(
                prompt,
                request with { Caller = _caller, Sampling = request.Sampling with { Seed = _order.Seed is { } seed ? unchecked(seed + choice) : null } },
                assembler(prompt))))];

    private TextRequest Limit(LoadedModel model, int[] prompt)
    {
        var begun = model.Seq2Seq is null ? prompt.Length : 1; // an encoder-decoder's text begins with its start token
        var request = _order.Request with { MinTokens = Math.Max(_order.Request.MinTokens, _order.Request.MinLength - begun) };
        return request.MaxLength is not { } max ? request
            : max > begun ? request with { MaxTokens = Math.Min(request.MaxTokens, max - begun) }
            : throw LlmOsException.Invalid(_order.Field, $"'{_order.Field}' has {begun} tokens, and the longest text asked for {max}, so there is no room for a new one.");
    }

    private async Task<GenerationUsage> StopAsync()
    {
        var usage = await ReleaseAsync().ConfigureAwait(false);
        _deadline.Dispose();
        // Where no new token was asked for and nothing was scored, the prompt was read by the tokenizer alone.
        return GenerationUsage.Of(_meter.IsEmpty ? usage with { PromptTokens = Prompts.Sum(p => p.Length) } : usage, _lease.Waited);
    }
}
