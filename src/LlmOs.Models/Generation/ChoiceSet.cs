using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>One text to write.</summary>
/// <param name="Prompt">Index of its prompt.</param>
/// <param name="NewAssembler">Turns its tokens into text.</param>
internal sealed record ChoiceJob(int Prompt, GenerationRequest Request, Func<ReplyAssembler> NewAssembler);

/// <summary>A piece of the text at a place of the answer.</summary>
/// <param name="Score">On the last piece of a text that a beam search found.</param>
internal readonly record struct ReplyPiece(int Index, TextPiece Piece, double? Score = null);

/// <summary>The texts of one request at work.</summary>
internal interface IReplySet
{
    /// <summary>All pieces as they come; those of one text in order. Can be enumerated once.</summary>
    IAsyncEnumerable<ReplyPiece> Pieces(CancellationToken cancel);
}

/// <summary>The texts of one request: generated together, a bounded number at a time, their pieces in one stream.</summary>
internal sealed class ChoiceSet : IReplySet
{
    private readonly LoadedModel _model;
    private readonly IReadOnlyList<ChoiceJob> _jobs;
    private readonly EnginePlace _place;
    private readonly RunMeter _meter;
    private readonly EngineSequence?[] _started;
    private readonly int _together;
    private int _next;

    private ChoiceSet(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int together, EnginePlace place, RunMeter meter)
    {
        (_model, _jobs, _together, _place, _meter) = (model, jobs, Math.Min(together, jobs.Count), place, meter);
        _started = new EngineSequence?[jobs.Count];
    }

    /// <summary>Submits the first texts at once.</summary>
    /// <param name="together">Texts that are generated at a time.</param>
    public static ChoiceSet Start(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int together, EnginePlace place, RunMeter meter)
    {
        var set = new ChoiceSet(model, jobs, together, place, meter);
        for (; set._next < set._together; set._next++)
        {
            set.Submit(set._next);
        }

        return set;
    }

    public async IAsyncEnumerable<ReplyPiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        if (_jobs.Count == 1)
        {
            await foreach (var piece in TextsOf(0, cancel).ConfigureAwait(false))
            {
                yield return new ReplyPiece(0, piece);
            }

            yield break;
        }

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var pieces = Channel.CreateBounded<ReplyPiece>(new BoundedChannelOptions(64) { SingleReader = true });
        var pumps = EndAsync([.. Enumerable.Range(0, _together).Select(first => PumpAsync(first, pieces.Writer, leaving))], pieces.Writer);
        try
        {
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancel).ConfigureAwait(false))
            {
                yield return piece;
            }
        }
        finally
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            await pumps.ConfigureAwait(false);
        }
    }

    private void Submit(int index) => _started[index] = _meter.Add(_jobs[index].Prompt, _model.Engine.Submit(_jobs[index].Request, _place));

    /// <summary>A text's pieces. A stop text and leaving the enumeration end the engine's work within one step.</summary>
    private async IAsyncEnumerable<TextPiece> TextsOf(int index, [EnumeratorCancellation] CancellationToken cancel)
    {
        var assembler = _jobs[index].NewAssembler();
        await foreach (var token in _started[index]!.Pieces(cancel).ConfigureAwait(false))
        {
            var piece = assembler.Append(token);
            yield return piece;
            if (piece.Finish is not null)
            {
                _started[index]!.Finish();
                yield break;
            }
        }
    }

    private async Task PumpAsync(int index, ChannelWriter<ReplyPiece> writer, CancellationTokenSource leaving)
    {
        try
        {
            while (index < _jobs.Count)
            {
                if (_started[index] is null)
                {
                    Submit(index);
                }

                await foreach (var piece in TextsOf(index, leaving.Token).ConfigureAwait(false))
                {
                    await writer.WriteAsync(new ReplyPiece(index, piece), leaving.Token).ConfigureAwait(false);
                }

                index = Interlocked.Increment(ref _next) - 1;
            }
        }
        catch (Exception fault)
        {
            // The reader throws it; the other texts are of no use then.
            writer.TryComplete(fault);
            await leaving.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task EndAsync(Task[] pumps, ChannelWriter<ReplyPiece> writer)
    {
        await Task.WhenAll(pumps).ConfigureAwait(false);
        writer.TryComplete();
    }
}
