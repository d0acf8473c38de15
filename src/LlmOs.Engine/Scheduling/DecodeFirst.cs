namespace LlmOs.Engine.Scheduling;

/// <summary>Shares steps between replies and prompts: every running sequence gets its token in every step, prompts take turns.</summary>
/// <remarks>
/// Chunks begin at multiples of the chunk length whatever the load is, so the arithmetic of a prompt, and with it every
/// bit of the reply, does not depend on who else is served.
/// </remarks>
internal static class DecodeFirst
{
    /// <param name="decodeRows">Running sequences.</param>
    /// <param name="prompts">Prompts not done yet, oldest first.</param>
    /// <param name="chunk">Most prompt tokens a step may run.</param>
    /// <param name="turn">Chunks run so far; even turns go to the oldest prompt, odd ones to the one nearest to its end.</param>
    public static StepPlan Plan(int decodeRows, ReadOnlySpan<PromptCandidate> prompts, int chunk, long turn)
    {
        if (prompts.IsEmpty)
        {
            return new StepPlan(decodeRows, Prompt: -1, Start: 0, Count: 0, IsLast: false);
        }

        // The oldest cannot starve, and a short prompt does not wait behind a very long one.
        var pick = turn % 2 == 0 ? 0 : NearestToItsEnd(prompts);
        var (past, length) = prompts[pick];
        var count = Math.Min(chunk - (past % chunk), length - past);
        return new StepPlan(decodeRows, pick, past, count, past + count == length);
    }

    private static int NearestToItsEnd(ReadOnlySpan<PromptCandidate> prompts)
    {
        var best = 0;
        for (var i = 1; i < prompts.Length; i++)
        {
            if (prompts[i].Length - prompts[i].Past < prompts[best].Length - prompts[best].Past)
            {
                best = i;
            }
        }

        return best;
    }
}
