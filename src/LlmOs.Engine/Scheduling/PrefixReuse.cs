namespace LlmOs.Engine.Scheduling;

/// <summary>The beginning of a prompt that need not be run where its project has it already. The default wants nothing.</summary>
/// <param name="project">Whose prompt it is: what others asked must not be learnt from how long an answer takes.</param>
/// <param name="tokens">Always shorter than the prompt: one token at least must be run.</param>
internal readonly ref struct PrefixWanted(string project, ReadOnlySpan<int> tokens)
{
    public string Project { get; } = project;

    public ReadOnlySpan<int> Tokens { get; } = tokens;

    public bool IsNothing => Tokens.IsEmpty;
}

/// <summary>Finds beginnings of prompts that slots hold already.</summary>
/// <remarks>
/// Only whole prefill chunks count. A prefix is therefore always one that the new prompt would have computed in the same chunks,
/// and a reply does not depend, to the last bit, on whether its prompt was found here. Tokens that were decoded one at a time go
/// through other kernels and are not reused. With at most 256 slots a scan is cheaper than a tree; it runs once a chunk.
/// </remarks>
internal static class PrefixReuse
{
    /// <summary>Tokens of the prompt's beginning that a slot keeps for its project.</summary>
    public static int Match(in SlotView slot, PrefixWanted wanted, int chunk)
    {
        if (slot.Project != wanted.Project)
        {
            return 0;
        }

        var common = wanted.Tokens.CommonPrefixLength(slot.Kept.Span);
        return common - (common % chunk);
    }

    /// <summary>The copy that brings a slot's owner further into its prompt than it is; null when no slot has more.</summary>
    public static SlotCopy? Extend(ReadOnlySpan<SlotView> slots, int slot, int chunk)
    {
        ref readonly var owner = ref slots[slot];
        var wanted = owner.Prefix;
        if (wanted.IsNothing || owner.Past % chunk != 0)
        {
            return null;
        }

        var (from, tokens) = (-1, owner.Past);
        for (var other = 0; other < slots.Length; other++)
        {
            if (Match(slots[other], wanted, chunk) is var match && match > tokens)
            {
                (from, tokens) = (other, match);
            }
        }

        return from < 0 ? null : new SlotCopy(from, slot, owner.Past, tokens);
    }
}
