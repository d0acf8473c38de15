using System.Runtime.CompilerServices;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>The beam searches of one request, one a prompt, all at work at once; their texts come when they are whole.</summary>
internal sealed class BeamSet : IReplySet
{
    private readonly IReadOnlyList<ChoiceJob> _jobs;
    private readonly int _choices;
    private readonly EngineRun<BeamResult>[] _searches;

    private BeamSet(IReadOnlyList<ChoiceJob> jobs, int choices) =>
        (_jobs, _choices, _searches) = (jobs, choices, new EngineRun<BeamResult>[jobs.Count]);

    /// <param name="jobs">One a prompt.</param>
    /// <param name="choices">Texts of each search that are wanted.</param>
    /// <exception cref="EngineBusyException">As many sequences run and wait as may.</exception>
    public static BeamSet Start(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int choices, RunMeter meter)
    {
        var set = new BeamSet(jobs, choices);
        for (var i = 0; i < jobs.Count; i++)
        {
            set._searches[i] = meter.Add(jobs[i].Prompt, model.Engine.SubmitBeams(jobs[i].Request));
            // Whoever leaves early awaits no search; its fault was told by another one's.
            _ = set._searches[i].Result.ContinueWith(t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }

        return set;
    }

    public async IAsyncEnumerable<ReplyPiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var prompt = 0; prompt < _jobs.Count; prompt++)
        {
            var found = await _searches[prompt].Result.WaitAsync(cancel).ConfigureAwait(false);
            for (var rank = 0; rank < Math.Min(_choices, found.Texts.Count); rank++)
            {
                var index = (prompt * _choices) + rank;
                var assembler = _jobs[prompt].NewAssembler();
                foreach (var token in found.Texts[rank].Pieces)
                {
                    var piece = assembler.Append(token);
                    yield return new ReplyPiece(index, piece, piece.Finish is null ? null : found.Texts[rank].Score);
                    if (piece.Finish is not null)
                    {
                        break;
                    }
                }
            }
        }
    }
}
