using System.Runtime.CompilerServices;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>The beam searches of one request, one a prompt, all at work at once; their texts come when they are whole.</summary>
internal sealed class BeamSet : IDisposable
{
    private readonly LoadedModel _model;
    private readonly IReadOnlyList<ChoiceJob> _jobs;
    private readonly int _choices;
    private readonly CancellationTokenSource _leaving = new();
    private readonly Task<BeamResult>[] _searches;
    private readonly double?[] _scores;

    /// <param name="jobs">One a prompt.</param>
    /// <param name="choices">Texts of each search that are wanted.</param>
    public BeamSet(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int choices)
    {
        (_model, _jobs, _choices) = (model, jobs, choices);
        _scores = new double?[jobs.Count * choices];
        _searches = [.. jobs.Select(job => model.Engine.BeamSearchAsync(TextGenerator.ToEngine(model, job.Prompt, job.Request, job.Seed), _leaving.Token))];
    }

    /// <summary>Costs of the searches that have ended: the longest of each time.</summary>
    public GenerationTimings Timings
    {
        get
        {
            var all = _searches.Where(s => s.IsCompletedSuccessfully).Select(s => s.GetAwaiter().GetResult().Timings).ToList();
            return all.Count == 0
                ? new GenerationTimings(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, 0)
                : new GenerationTimings(all.Max(t => t.QueueTime), all.Max(t => t.PromptTime), all.Max(t => t.DecodeTime), all.Sum(t => t.CachedTokens));
        }
    }

    /// <summary>The score of a text; null before it has come.</summary>
    public double? Score(int index) => _scores[index];

    public async IAsyncEnumerable<ChoicePiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        await using var registration = cancel.Register(_leaving.Cancel).ConfigureAwait(false);
        for (var prompt = 0; prompt < _jobs.Count; prompt++)
        {
            var found = await _searches[prompt].ConfigureAwait(false);
            for (var rank = 0; rank < Math.Min(_choices, found.Texts.Count); rank++)
            {
                var index = (prompt * _choices) + rank;
                _scores[index] = found.Texts[rank].Score;
                var assembler = TextGenerator.Assembler(_model, _jobs[prompt].Prompt, _jobs[prompt].Request);
                foreach (var token in found.Texts[rank].Pieces)
                {
                    var piece = assembler.Append(token);
                    yield return new ChoicePiece(index, piece);
                    if (piece.Finish is not null)
                    {
                        break;
                    }
                }
            }
        }
    }

    /// <summary>Stops what still runs.</summary>
    public void Dispose()
    {
        _leaving.Cancel();
        foreach (var search in _searches)
        {
            // Nobody awaits it any more; its fault was told by another one's.
            _ = search.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        _leaving.Dispose();
    }
}
