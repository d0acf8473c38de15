using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling.Kinds;

/// <summary>Scores of a prompt's own tokens. A row of logits becomes one score as soon as it is computed; none is kept.</summary>
internal sealed class PromptScoring : SequenceKind
{
    private readonly ScoringRequest _request;
    private readonly List<ScoredToken> _scores = [];

    private PromptScoring(EngineRun run, ScoringRequest request)
        : base(run) => _request = request;

    /// <summary>A row scores the token after it.</summary>
    public override int RowsFrom => Math.Min(_request.From, _request.Tokens.Length) - 1;

    public static (PromptScoring Kind, EngineRun<IReadOnlyList<ScoredToken>> Run) Create(ScoringRequest request, TimeProvider clock)
    {
        PromptScoring? kind = null;
        var run = new EngineRun<IReadOnlyList<ScoredToken>>(() => kind!._scores, clock);
        kind = new PromptScoring(run, request);
        return (kind, run);
    }

    public override void OnPrefill(int start, RowLogits logits, Sampler sampler)
    {
        for (var row = 0; row < logits.Count; row++)
        {
            var token = start + row + 1;
            if (token >= _request.From && token < _request.Tokens.Length)
            {
                _scores.Add(sampler.Score(logits[row], _request.Tokens[token], _request.Top));
            }
        }
    }

    public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next) => new(IsDone: true, Made: 0);
}
