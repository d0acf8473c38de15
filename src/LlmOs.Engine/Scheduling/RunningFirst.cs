using System.Collections.Immutable;

namespace LlmOs.Engine.Scheduling;

/// <summary>Keeps the running sequences in slots 0 to n-1, so that a decode step is one view of the cache.</summary>
internal static class RunningFirst
{
    public static int Count(ReadOnlySpan<SlotView> slots)
    {
        var running = 0;
        foreach (ref readonly var slot in slots)
        {
            running += slot.State == SequenceState.Running ? 1 : 0;
        }

        return running;
    }

    /// <summary>The fewest exchanges after which the running ones come first: those beyond n fill the holes before it.</summary>
    public static ImmutableArray<SlotExchange> Exchanges(ReadOnlySpan<SlotView> slots)
    {
        var running = Count(slots);
        ImmutableArray<SlotExchange>.Builder? exchanges = null;
        var beyond = slots.Length;
        for (var hole = 0; hole < running; hole++)
        {
            if (slots[hole].State == SequenceState.Running)
            {
                continue;
            }

            do
            {
                beyond--;
            }
            while (slots[beyond].State != SequenceState.Running);

            exchanges ??= ImmutableArray.CreateBuilder<SlotExchange>();
            exchanges.Add(new SlotExchange(hole, slots[hole].Worth, beyond, slots[beyond].Worth));
        }

        return exchanges?.DrainToImmutable() ?? [];
    }

    /// <summary>The slots once they have changed places.</summary>
    public static SlotView[] After(ReadOnlySpan<SlotView> slots, ImmutableArray<SlotExchange> exchanges)
    {
        var after = slots.ToArray();
        foreach (var exchange in exchanges)
        {
            (after[exchange.A], after[exchange.B]) = (after[exchange.B], after[exchange.A]);
        }

        return after;
    }
}
