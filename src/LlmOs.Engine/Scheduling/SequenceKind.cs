using LlmOs.Engine.Execution;
using LlmOs.Engine.Sampling;

namespace LlmOs.Engine.Scheduling;

/// <summary>What came of a group's logits.</summary>
/// <param name="IsDone">Whether no step may follow.</param>
/// <param name="Made">New tokens, of all members together.</param>
internal readonly record struct LogitsOutcome(bool IsDone, int Made);

/// <summary>
/// The seam between a step and what is made of it: a reply, a beam search, scores of a prompt. The loop knows groups and rows
/// only; a kind knows tokens. Called on the loop's thread.
/// </summary>
internal abstract class SequenceKind(EngineRun run)
{
    /// <summary>What was submitted, as its caller sees it.</summary>
    public EngineRun Run { get; } = run;

    /// <summary>Sequences side by side, each in a slot of its own.</summary>
    public virtual int Width => 1;

    /// <summary>The first of the prompt's tokens whose logits are wanted, besides those of the last; beyond the prompt: none.</summary>
    public virtual int RowsFrom => int.MaxValue;

    /// <summary>Whether its reader must catch up before another token is made.</summary>
    public virtual bool IsFull => false;

    /// <summary>Whether the reader of a paused group has caught up enough for it to go on.</summary>
    public virtual bool HasRoom => true;

    /// <summary>Tells the reader's side whether the group waits for it.</summary>
    public virtual void SetPaused(bool paused)
    {
    }

    /// <summary>Takes the logits of a chunk of the prompt; called for every chunk that reaches <see cref="RowsFrom"/>.</summary>
    /// <param name="logits">By place in the chunk.</param>
    /// <exception cref="EngineStepException">The logits hold a number that is not one.</exception>
    public virtual void OnPrefill(int start, RowLogits logits, Sampler sampler)
    {
    }

    /// <summary>Takes the logits after the prompt, and those of each decode step after that, and says how each member goes on.</summary>
    /// <param name="logits">By member; after the prompt all have the same.</param>
    /// <param name="next">By member; where several continue one, the group forks.</param>
    /// <exception cref="EngineStepException">The logits hold a number that is not one.</exception>
    public abstract LogitsOutcome OnLogits(RowLogits logits, Sampler sampler, Span<Continuation> next);
}
