using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling.Kinds;

/// <summary>One reply: chooses a token from each row and hands it out.</summary>
internal sealed class Generation : SequenceKind
{
    private readonly EngineSequence _output;
    private readonly TokenChoice _choice;
    private readonly int _maxNew;
    private int _made;

    /// <param name="maxNew">Maximum new tokens, already cut to the room in the context.</param>
    public Generation(EngineSequence output, int maxNew)
        : base(output)
    {
        (_output, _maxNew) = (output, maxNew);
        _choice = new TokenChoice(output.Request) { MaxTokens = maxNew };
    }

    public override bool IsFull => _output.IsFull;

    public override bool HasRoom => _output.HasRoom;

    public override void SetPaused(bool paused) => _output.SetPaused(paused);

    public override LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next)
    {
        var chosen = sampler.Choose(logits[0], _choice, _made);
        _made++;
        _choice.Add(chosen.Token);
        var finish = EndsWith(chosen.Token) ? FinishReason.Stop
            : _made >= _maxNew ? FinishReason.Length
            : (FinishReason?)null;
        _output.Write(new GenerationPiece(chosen.Token, chosen.Logprob, chosen.Top, finish));
        next[0] = new Continuation(Parent: 0, chosen.Token);
        return new LogitsOutcome(finish is not null, Made: 1);
    }

    private bool EndsWith(int token)
    {
        var ends = _output.Request.EndTokens;
        for (var i = 0; i < ends.Count; i++)
        {
            if (ends[i] == token)
            {
                return true;
            }
        }

        return false;
    }
}
