using System.Collections.Immutable;
using LlmOs.Engine.Execution;

namespace LlmOs.Engine.Scheduling;

/// <summary>A slot for a sequence.</summary>
/// <param name="Reused">Tokens of the prompt that it holds already.</param>
/// <param name="Evicted">Kept tokens of earlier prompts that are given up for it.</param>
internal readonly record struct Placement(int Slot, int Reused, int Evicted);

/// <summary>A waiting group gets its slots.</summary>
/// <param name="Index">Its place among the waiting ones.</param>
/// <param name="Placements">By member.</param>
/// <param name="IsProtected">Whether it keeps its slots for a quantum, whatever others wait for: it took them because it had waited so long.</param>
internal readonly record struct Admission(int Index, ImmutableArray<Placement> Placements, bool IsProtected);

/// <summary>Tokens [start, end) of one slot go to the same places of another; from the first token on, the source goes with them.</summary>
internal readonly record struct SlotCopy(int From, int To, int Start, int End);

/// <summary>Two slots change places, owners and contents.</summary>
/// <param name="TokensA">Tokens of <paramref name="A"/> that must survive.</param>
internal readonly record struct SlotExchange(int A, int TokensA, int B, int TokensB);

/// <summary>A part of one prompt.</summary>
/// <param name="IsLast">Whether it ends the prompt.</param>
/// <param name="Rows">Which of its tokens' logits are wanted.</param>
internal readonly record struct PrefillChunk(int Slot, int Start, int Count, bool IsLast, LogitRows Rows);

/// <summary>
/// All that one turn of the loop does, in this order: bring forks into their slots, save what must make room, admit, exchange slots
/// so that the running sequences come first, copy a prefix, run a chunk of one prompt, run a token of each running sequence.
/// </summary>
/// <param name="Preempted">A slot of each group that gives its slots up.</param>
/// <param name="DecodeRows">Running sequences; by then they are in slots 0 to this minus one, and each row's logits are wanted.</param>
internal readonly record struct StepPlan(
    ImmutableArray<SlotCopy> Forks,
    ImmutableArray<int> Preempted,
    ImmutableArray<Admission> Admissions,
    ImmutableArray<SlotExchange> Exchanges,
    SlotCopy? Prefix,
    PrefillChunk? Prefill,
    int DecodeRows)
{
    public bool IsEmpty => DecodeRows == 0 && Prefill is null;
}
