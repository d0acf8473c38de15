using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling.Kinds;

/// <summary>A beam search: a member for each beam. After the prompt, and after each step, beams go on from the likeliest ones.</summary>
internal sealed class BeamGeneration : SequenceKind
{
    private readonly BeamSearch _search;

    private BeamGeneration(EngineRun run, BeamSearch search, int beams)
        : base(run) => (_search, Width) = (search, beams);

    public override int Width { get; }

    /// <param name="maxNew">Maximum new tokens, already cut to the room in the context.</param>
    public static (BeamGeneration Kind, EngineRun<BeamResult> Run) Create(GenerationRequest request, int maxNew, int vocabulary, TimeProvider clock)
    {
        var search = new BeamSearch(request, maxNew, vocabulary);
        var run = new EngineRun<BeamResult>(() => new BeamResult(search.Texts()), clock);
        return (new BeamGeneration(run, search, request.Beams!.Beams), run);
    }

    public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next)
    {
        _search.Advance(logits);
        Run.Meter.NoteMade(Width);
        for (var beam = 0; beam < Width && !_search.IsDone; beam++)
        {
            next[beam] = new Continuation(_search.Parents[beam], _search.Tokens[beam]);
        }

        return new LogitsOutcome(_search.IsDone, Made: Width);
    }
}
