using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Scheduling;

/// <summary>Prompts take turns, a chunk a step, beside the running sequences, which get their token in every step.</summary>
/// <remarks>
/// Chunks begin at multiples of the chunk length whatever the load is, so the arithmetic of a prompt, and with it every
/// bit of the reply, does not depend on who else is served.
/// </remarks>
internal static class PrefillOrder
{
    /// <summary>The slot whose prompt has its turn, or -1.</summary>
    /// <param name="turn">Even turns go to the oldest prompt, odd ones to the one nearest to its end.</param>
    public static int Next(ReadOnlySpan<SlotView> slots, long turn)
    {
        // The oldest cannot starve, and a short prompt does not wait behind a very long one.
        var best = -1;
        for (var slot = 0; slot < slots.Length; slot++)
        {
            if (slots[slot].State == SequenceState.Prefill && (best < 0 || IsBefore(slots[slot], slots[best], byAge: turn % 2 == 0)))
            {
                best = slot;
            }
        }

        return best;
    }

    /// <summary>The chunk that begins at a token of the slot's prompt.</summary>
    public static PrefillChunk Cut(in SlotView owner, int slot, int start, int chunk)
    {
        var count = Math.Min(chunk - (start % chunk), owner.Prompt.Length - start);
        var isLast = start + count == owner.Prompt.Length;
        return new PrefillChunk(slot, start, count, isLast, owner.WantsEveryRow ? LogitRows.All : isLast ? LogitRows.Last : LogitRows.None);
    }

    private static bool IsBefore(in SlotView a, in SlotView b, bool byAge)
    {
        var (leftA, leftB) = (a.Prompt.Length - a.Past, b.Prompt.Length - b.Past);
        return byAge || leftA == leftB ? a.Order < b.Order : leftA < leftB;
    }
}
