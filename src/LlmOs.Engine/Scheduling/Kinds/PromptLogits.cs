using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling.Kinds;

/// <summary>The logits of every token of a prompt, to compare two models number by number.</summary>
internal sealed class PromptLogits : SequenceKind
{
    private readonly int _tokens;
    private float[] _result = []; // [tokens, V] row-major, once the first chunk is there

    private PromptLogits(EngineRun run, int tokens)
        : base(run) => _tokens = tokens;

    public override int RowsFrom => 0;

    public static (PromptLogits Kind, EngineRun<float[]> Run) Create(int tokens, TimeProvider clock)
    {
        PromptLogits? kind = null;
        var run = new EngineRun<float[]>(() => kind!._result, clock);
        kind = new PromptLogits(run, tokens);
        return (kind, run);
    }

    public override void OnPrefill(int start, RowLogits logits, Sampler sampler)
    {
        var vocabulary = logits[0].Length;
        if (_result.Length == 0)
        {
            // Not before its turn has come: what waits takes no room.
            _result = new float[(long)_tokens * vocabulary];
        }

        for (var row = 0; row < logits.Count; row++)
        {
            logits[row].CopyTo(_result.AsSpan((start + row) * vocabulary));
        }
    }

    public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next) => new(IsDone: true, Made: 0);
}
