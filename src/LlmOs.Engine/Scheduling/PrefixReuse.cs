namespace LlmOs.Engine.Scheduling;

/// <summary>Finds beginnings of prompts that slots hold already.</summary>
/// <remarks>
/// Only whole prefill chunks count. A prefix is therefore always one that the new prompt would have computed in the same chunks,
/// and a reply does not depend, to the last bit, on whether its prompt was found here. Tokens that were decoded one at a time go
/// through other kernels and are not reused. With at most 256 slots a scan is cheaper than a tree; it runs once a chunk.
/// </remarks>
internal static class PrefixReuse
{
    /// <summary>Tokens of the prompt's beginning that are kept. At least one token is always left to run.</summary>
    public static int Match(ReadOnlySpan<int> kept, ReadOnlySpan<int> prompt, int chunk)
    {
        var common = prompt[..^1].CommonPrefixLength(kept);
        return common - (common % chunk);
    }

    /// <summary>The copy that brings a slot's owner further into its prompt than it is; null when no slot has more.</summary>
    public static SlotCopy? Extend(ReadOnlySpan<SlotView> slots, int slot, int chunk)
    {
        ref readonly var owner = ref slots[slot];
        if (!owner.TakesPrefix || owner.Past % chunk != 0)
        {
            return null;
        }

        var (from, tokens) = (-1, owner.Past);
        for (var other = 0; other < slots.Length; other++)
        {
            if (Match(slots[other].Kept.Span, owner.Prompt.Span, chunk) is var match && match > tokens)
            {
                (from, tokens) = (other, match);
            }
        }

        return from < 0 ? null : new SlotCopy(from, slot, owner.Past, tokens);
    }
}
