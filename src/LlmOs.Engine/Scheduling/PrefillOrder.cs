using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Scheduling;

/// <summary>
/// Flows with a prompt take turns, a chunk a step, beside the running sequences, which get their token in every step: the next
/// chunk is for the flow that has had the fewest prompt tokens for its weight.
/// </summary>
/// <remarks>
/// Chunks begin at multiples of the chunk length whatever the load is, so the arithmetic of a prompt, and with it every
/// bit of the reply, does not depend on who else is served.
/// </remarks>
internal static class PrefillOrder
{
    /// <summary>The slot whose prompt has its turn, or -1.</summary>
    public static int Next(ReadOnlySpan<SlotView> slots, ReadOnlySpan<FlowView> flows)
    {
        var best = -1;
        for (var slot = 0; slot < slots.Length; slot++)
        {
            if (slots[slot].State == SequenceState.Prefill && (best < 0 || IsBefore(slots[slot], slots[best], flows)))
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
        var rows = owner.RowsFrom >= start + count ? LogitRows.None
            : isLast && owner.RowsFrom == owner.Prompt.Length - 1 ? LogitRows.Last
            : LogitRows.All;
        return new PrefillChunk(slot, start, count, isLast, rows);
    }

    private static bool IsBefore(in SlotView a, in SlotView b, ReadOnlySpan<FlowView> flows)
    {
        if (a.Flow != b.Flow)
        {
            var (passA, passB) = (flows[a.Flow].PromptPass, flows[b.Flow].PromptPass);
            return passA != passB ? passA < passB : a.Order < b.Order;
        }

        // Of one flow's prompts the oldest and the one nearest to its end take turns: the oldest cannot starve, and a short one
        // does not wait behind a very long one.
        var (leftA, leftB) = (a.Prompt.Length - a.Past, b.Prompt.Length - b.Past);
        return flows[a.Flow].Turn % 2 == 0 || leftA == leftB ? a.Order < b.Order : leftA < leftB;
    }
}
