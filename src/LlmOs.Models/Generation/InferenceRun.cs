using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Contracts.OpenAi;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>What a route asks of a model once its numbers are checked.</summary>
/// <param name="Field">The request's field that holds the prompts, for refusals.</param>
/// <param name="Choices">Replies for each prompt.</param>
/// <param name="Seed">The first reply's seed; the next ones count on from it.</param>
internal sealed record InferenceOrder(string Field, TextRequest Request, int Choices, long? Seed);

/// <summary>One request at work on a loaded model: holds the model, generates the replies, knows what it cost.</summary>
internal sealed class InferenceRun : IDisposable
{
    private readonly ModelLease _lease;
    private readonly ChoiceSet? _set;
    private readonly BeamSet? _beams;
    private int _made;

    private InferenceRun(ModelLease lease, IReadOnlyList<int[]> prompts, ChoiceSet? set, BeamSet? beams = null) =>
        (_lease, Prompts, _set, _beams) = (lease, prompts, set, beams);

    public LoadedModel Model => _lease.Model;

    /// <summary>Ids of each prompt.</summary>
    public IReadOnlyList<int[]> Prompts { get; }

    /// <summary>Takes over the lease and submits the first replies; choice <c>i</c> belongs to prompt <c>i / Choices</c>.</summary>
    /// <param name="together">Replies that are generated at a time.</param>
    public static InferenceRun Start(ModelLease lease, IReadOnlyList<int[]> prompts, InferenceOrder order, int together)
    {
        try
        {
            var model = lease.Model;
            var ready = prompts.Select(p => CheckPrompt(model, p, order)).ToList();
            if (order.Request.MaxTokens == 0)
            {
                return new InferenceRun(lease, ready, set: null);
            }

            if (order.Request.Beams is { } beams)
            {
                return beams.Beams <= model.Engine.Slots
                    ? new InferenceRun(lease, ready, set: null, new BeamSet(model, [.. ready.Select(prompt => new ChoiceJob(prompt, Limit(model, order, prompt), order.Seed))], order.Choices))
                    : throw LlmOsException.Invalid("num_beams", $"'num_beams' is {beams.Beams}; this server runs {model.Engine.Slots} sequences together (Engine:Slots).");
            }

            var jobs = ready.SelectMany(prompt => Enumerable.Range(0, order.Choices), (prompt, choice) =>
                new ChoiceJob(prompt, Limit(model, order, prompt), order.Seed is { } seed ? unchecked(seed + choice) : null)).ToList();
            return new InferenceRun(lease, ready, ChoiceSet.Start(model, jobs, together));
        }
        catch (EngineBusyException busy)
        {
            lease.Dispose();
            throw new LlmOsException(ErrorCode.Overloaded, busy.Message, busy);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>The replies' pieces as they come; none when no token was asked for.</summary>
    public async IAsyncEnumerable<ChoicePiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        if ((_set?.Pieces(cancel) ?? _beams?.Pieces(cancel)) is not { } pieces)
        {
            yield break;
        }

        await foreach (var piece in pieces.ConfigureAwait(false))
        {
            _made++;
            yield return piece;
        }
    }

    /// <summary>The score of a text that a beam search found; null for others.</summary>
    public double? ScoreOf(int index) => _beams?.Score(index);

    /// <summary>What the run cost so far.</summary>
    public Usage Usage()
    {
        var timings = _set?.Timings ?? _beams?.Timings ?? new GenerationTimings(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, 0);
        var prompt = Prompts.Sum(p => p.Length);
        return new Usage(
            prompt,
            _made,
            prompt + _made,
            new PromptTokensDetails(timings.CachedTokens),
            new LlmOsUsage(
                Milliseconds(timings.QueueTime),
                Milliseconds(timings.PromptTime),
                Milliseconds(timings.DecodeTime),
                Milliseconds(_lease.Waited),
                timings.CachedTokens,
                TruncatedTokens: 0));
    }

    /// <summary>Stops what still runs and gives the model back.</summary>
    public void Dispose()
    {
        _set?.Dispose();
        _beams?.Dispose();
        _lease.Dispose();
    }

    private static int[] CheckPrompt(LoadedModel model, int[] prompt, InferenceOrder order)
    {
        var shape = model.Engine.Shape;
        if (prompt.Length == 0)
        {
            // As OpenAI does: an empty prompt asks for the beginning of a text.
            return model.BeginToken is { } begin
                ? [begin]
                : throw LlmOsException.Invalid(order.Field, $"'{order.Field}' holds no token, and this model has no begin token. Send some text.");
        }

        if (shape.Cross is { } source && prompt.Length > source.MaxSource)
        {
            throw new LlmOsException(ErrorCode.ContextLengthExceeded, $"The model reads at most {source.MaxSource} tokens; the prompt has {prompt.Length}.")
            {
                Field = order.Field,
                Hint = $"Shorten the prompt to at most {source.MaxSource} tokens.",
            };
        }

        var bad = prompt.AsSpan().IndexOfAnyExceptInRange(0, shape.Vocabulary - 1);
        if (bad >= 0)
        {
            throw LlmOsException.Invalid(order.Field, $"'{order.Field}' holds the id {prompt[bad]}; the model's ids go from 0 to {shape.Vocabulary - 1}.");
        }

        var most = shape.Cross is { } cross ? cross.MaxSource : order.Request.MaxTokens == 0 ? shape.ContextLength : shape.ContextLength - 1;
        return prompt.Length <= most
            ? prompt
            : throw new LlmOsException(
                ErrorCode.ContextLengthExceeded,
                $"The model's context holds {shape.ContextLength} tokens, prompt and reply together; the prompt alone has {prompt.Length}.")
            {
                Field = order.Field,
                Hint = $"Shorten the prompt to at most {most} tokens, or take a model with a longer context.",
            };
    }

    private static TextRequest Limit(LoadedModel model, InferenceOrder order, int[] prompt)
    {
        var begun = model.Seq2Seq is null ? prompt.Length : 1; // an encoder-decoder's text begins with its start token
        var request = order.Request with { MinTokens = Math.Max(order.Request.MinTokens, order.Request.MinLength - begun) };
        return request.MaxLength is not { } most ? request
            : most > begun ? request with { MaxTokens = Math.Min(request.MaxTokens, most - begun) }
            : throw LlmOsException.Invalid(order.Field, $"'{order.Field}' has {begun} tokens, and the longest text asked for {most}, so there is no room for a new one.");
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
