using System.Runtime.CompilerServices;
using LlmOs.Engine;
using LlmOs.Models.Loading;

namespace LlmOs.Models.Generation;

/// <summary>The beam searches of one request, one a prompt; their texts come when they are whole.</summary>
internal sealed class BeamSet : IReplySet
{
    private readonly IReadOnlyList<ChoiceJob> _jobs;
    private readonly int _choices;
    private readonly Task<BeamResult>[] _searches;

    private BeamSet(IReadOnlyList<ChoiceJob> jobs, int choices, Task<BeamResult>[] searches) => (_jobs, _choices, _searches) = (jobs, choices, searches);

    /// <param name="jobs">One a prompt.</param>
    /// <param name="choices">Texts of each search that are wanted.</param>
    /// <param name="together">Beams that are at work at a time, if one search has no more.</param>
    public static BeamSet Start(LoadedModel model, IReadOnlyList<ChoiceJob> jobs, int choices, int together, EnginePlace place, RunMeter meter) => new(jobs, choices, Bounded.Start(
        jobs.Count,
        Math.Max(1, together / jobs.Max(job => job.Request.Beams!.Beams)),
        index => meter.Add(jobs[index].Prompt, model.Engine.SubmitBeams(jobs[index].Request, place)).Result,
        meter.Ending));

    public async IAsyncEnumerable<ReplyPiece> Pieces([EnumeratorCancellation] CancellationToken cancel)
    {
        for (var prompt = 0; prompt < _jobs.Count; prompt++)
        {
            var found = await _searches[prompt].WaitAsync(cancel).ConfigureAwait(false);
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
