namespace LlmOs.Engine.Scheduling;

/// <summary>A sequence whose prompt is not done yet.</summary>
/// <param name="Past">Tokens already in its slot.</param>
/// <param name="Length">Tokens of the prompt.</param>
internal readonly record struct PromptCandidate(int Past, int Length);

/// <summary>What one turn of the loop runs: at most one chunk of one prompt, then one token of each running sequence.</summary>
/// <param name="DecodeRows">Running sequences; they occupy slots 0 to this minus one.</param>
/// <param name="Prompt">Index of the candidate whose chunk runs, or -1.</param>
/// <param name="Start">First token of the chunk.</param>
/// <param name="Count">Tokens of the chunk.</param>
/// <param name="IsLast">Whether the chunk ends the prompt, so that its last row's logits are wanted.</param>
internal readonly record struct StepPlan(int DecodeRows, int Prompt, int Start, int Count, bool IsLast)
{
    public bool HasPrompt => Prompt >= 0;

    public bool IsEmpty => DecodeRows == 0 && !HasPrompt;
}
