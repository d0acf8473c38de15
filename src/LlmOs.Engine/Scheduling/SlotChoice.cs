namespace LlmOs.Engine.Scheduling;

/// <summary>Which free slot a sequence gets, and what is evicted for it.</summary>
internal static class SlotChoice
{
    /// <summary>The slot that holds the most of the prompt, unless using it would evict more than it saves; else <see cref="Evict"/>.</summary>
    /// <param name="slots">One of them at least is free.</param>
    public static Placement Choose(ReadOnlySpan<SlotView> slots, PrefixWanted wanted, int chunk)
    {
        var (best, reused) = (-1, 0);
        for (var slot = 0; !wanted.IsNothing && slot < slots.Length; slot++)
        {
            if (slots[slot].IsFree && PrefixReuse.Match(slots[slot], wanted, chunk) is var match && match > reused)
            {
                (best, reused) = (slot, match);
            }
        }

        var spare = Evict(slots);
        var inPlace = best >= 0 && (best == spare || 2 * reused >= slots[best].Kept.Length);
        return inPlace
            ? new Placement(best, reused, slots[best].Kept.Length - reused)
            : new Placement(spare, 0, slots[spare].Kept.Length);
    }

    /// <summary>The free slot whose contents are missed least: one with nothing kept, else the one left longest ago; -1 when none is free.</summary>
    public static int Evict(ReadOnlySpan<SlotView> slots)
    {
        var oldest = -1;
        for (var slot = 0; slot < slots.Length; slot++)
        {
            if (!slots[slot].IsFree)
            {
                continue;
            }

            if (slots[slot].Kept.IsEmpty)
            {
                return slot;
            }

            if (oldest < 0 || slots[slot].LastUse < slots[oldest].LastUse)
            {
                oldest = slot;
            }
        }

        return oldest;
    }
}
