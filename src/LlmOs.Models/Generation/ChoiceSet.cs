using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>One reply to generate.</summary>
internal sealed record ChoiceJob(int[] Prompt, TextRequest Request, long? Seed);

/// <summary>A piece of the reply at a place of the answer.</summary>
internal readonly record struct ChoicePiece(int Index, TextPiece Piece);

/// <summary>The replies of one request: generated together, a bounded number at a time, their pieces in one stream.</summary>
internal sealed class ChoiceSet : IDisposable
{
    private readonly LoadedModel _model;
    private readonly IReadOnlyList<ChoiceJob> _jobs;
    private readonly TextGeneration?[] _started;
    private readonly int _together;
    private int _next;

    private ChoiceSet(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int together)
    {
        (_model, _jobs, _together) = (model, jobs, Math.Min(together, jobs.Count));
        _started = new TextGeneration?[jobs.Count];
    }

    /// <summary>Submits the first replies at once, so that a full queue is told before an answer begins.</summary>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    public static ChoiceSet Start(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int together)
    {
        var set = new ChoiceSet(model, jobs, together);
        try
        {
            for (; set._next < set._together; set._next++)
            {
                set.Submit(set._next);
            }

            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Costs so far: the longest of each time, and the cached tokens of the first choice of each prompt.</summary>
    public GenerationTimings Timings
    {
        get
        {
            var all = _started.OfType<TextGeneration>().Select(g => g.Timings).ToList();
            return all.Count == 0
                ? new GenerationTimings(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, 0)
                : new GenerationTimings(all.Max(t => t.QueueTime), all.Max(t => t.PromptTime), all.Max(t => t.DecodeTime), CachedTokens(all));
        }
    }

    /// <summary>All pieces as they come; those of one reply in order. Can be enumerated once.</summary>
    public async IAsyncEnumerable<ChoicePiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        if (_jobs.Count == 1)
        {
            await foreach (var piece in _started[0]!.Pieces(cancel).ConfigureAwait(false))
            {
                yield return new ChoicePiece(0, piece);
            }

            yield break;
        }

        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var pieces = Channel.CreateBounded<ChoicePiece>(new BoundedChannelOptions(64) { SingleReader = true });
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

    /// <summary>Stops what still runs.</summary>
    public void Dispose()
    {
        foreach (var generation in _started)
        {
            generation?.Cancel();
        }
    }

    private void Submit(int index) =>
        _started[index] = TextGenerator.Start(_model, _jobs[index].Prompt, _jobs[index].Request, _jobs[index].Seed);

    private async Task PumpAsync(int index, ChannelWriter<ChoicePiece> writer, CancellationTokenSource leaving)
    {
        try
        {
            while (index < _jobs.Count)
            {
                if (_started[index] is null)
                {
                    Submit(index);
                }

                await foreach (var piece in _started[index]!.Pieces(leaving.Token).ConfigureAwait(false))
                {
                    await writer.WriteAsync(new ChoicePiece(index, piece), leaving.Token).ConfigureAwait(false);
                }

                index = Interlocked.Increment(ref _next) - 1;
            }
        }
        catch (Exception fault)
        {
            // The reader throws it; the other replies are of no use then.
            writer.TryComplete(fault);
            await leaving.CancelAsync().ConfigureAwait(false);
        }
    }

    private static async Task EndAsync(Task[] pumps, ChannelWriter<ChoicePiece> writer)
    {
        await Task.WhenAll(pumps).ConfigureAwait(false);
        writer.TryComplete();
    }

    private int CachedTokens(List<GenerationTimings> all) =>
        _jobs.Zip(all).GroupBy(pair => pair.First.Prompt).Sum(prompt => prompt.First().Second.CachedTokens);
}
