using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling.Kinds;

/// <summary>The logits of every token of a prompt; nothing is generated.</summary>
internal sealed class PromptScoring : SequenceKind
{
    private readonly float[] _result; // [tokens, V] row-major

    private PromptScoring(EngineRun run, float[] result)
        : base(run) => _result = result;

    public override bool WantsEveryRow => true;

    /// <param name="size">Tokens of the prompt times the vocabulary.</param>
    public static (PromptScoring Kind, EngineRun<float[]> Run) Create(long size, TimeProvider clock)
    {
        var result = new float[size];
        var run = new EngineRun<float[]>(() => result, clock);
        return (new PromptScoring(run, result), run);
    }

    public override void OnPrefill(int start, RowLogits logits)
    {
        for (var row = 0; row < logits.Count; row++)
        {
            logits[row].CopyTo(_result.AsSpan((start + row) * logits[row].Length));
        }
    }

    public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next) => new(IsDone: true, Made: 0);
}
