using LlmOs.Engine.Scheduling;

namespace LlmOs.Engine.Tests.Scheduling;

/// <summary>Short ways to say what is in a slot, and slots of all kinds at random.</summary>
internal static class Slots
{
    private static readonly SequenceState[] States = [SequenceState.Prefill, SequenceState.Running, SequenceState.Paused, SequenceState.Reserved];

    public static SlotView Free(int[]? kept = null, long lastUse = 0) => new(null, 0, kept, lastUse, default, 0, TakesPrefix: false, RowsFrom: 0, Project: "");

    public static SlotView Owned(SequenceState state, int past, int[] prompt, int chunk, long order) =>
        new(state, past, prompt.AsMemory(0, Math.Min(past, prompt.Length) / chunk * chunk), 0, prompt, order, TakesPrefix: true, RowsFrom: prompt.Length - 1, Project: "");

    /// <summary>A prompt that often begins as others do.</summary>
    public static int[] Prompt(Random random) =>
        [.. Enumerable.Repeat(random.Next(3), random.Next(1, 20)), .. Enumerable.Range(0, random.Next(20)).Select(_ => random.Next(3))];

    /// <summary>One of two projects.</summary>
    public static string Project(Random random) => random.Next(2) == 0 ? "" : "other";

    public static SlotView[] AtRandom(Random random, int chunk) =>
        [.. Enumerable.Range(0, random.Next(1, 9)).Select(slot => AtRandom(random, chunk, slot) with { Project = Project(random) })];

    private static SlotView AtRandom(Random random, int chunk, int order)
    {
        var prompt = Prompt(random);
        if (random.Next(2) == 0)
        {
            return Free(prompt[..(random.Next(prompt.Length + 1) / chunk * chunk)], random.Next(100));
        }

        var state = States[random.Next(States.Length)];
        var past = state switch
        {
            SequenceState.Prefill => random.Next(prompt.Length) / chunk * chunk,
            SequenceState.Reserved => 0,
            _ => prompt.Length + random.Next(10),
        };
        var from = random.Next(4) == 0 ? random.Next(prompt.Length) : prompt.Length - 1;
        return Owned(state, past, prompt, chunk, order) with { RowsFrom = from, TakesPrefix = random.Next(4) > 0 };
    }
}
