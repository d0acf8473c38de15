namespace LlmOs.Engine.Scheduling;

/// <summary>Waiting texts that may run together: of one padded length, and of which the same is wanted.</summary>
/// <param name="Oldest">Number of the first of them; numbers rise with every text.</param>
internal readonly record struct BatchQueue(int Length, long Oldest, int Texts);

/// <summary>The texts of an encoder's next step.</summary>
/// <param name="Queue">Which queue they come from, by index; -1: none waits.</param>
/// <param name="Count">How many, oldest first.</param>
internal readonly record struct BatchPlan(int Queue, int Count);

/// <summary>Which texts run together: the oldest text is in the next batch, and others like it fill the batch up.</summary>
internal static class BatchOrder
{
    /// <param name="tokens">Tokens of a batch, padding among them. A longer text runs alone.</param>
    public static BatchPlan Next(ReadOnlySpan<BatchQueue> queues, int tokens)
    {
        var next = -1;
        for (var i = 0; i < queues.Length; i++)
        {
            if (queues[i].Texts > 0 && (next < 0 || queues[i].Oldest < queues[next].Oldest))
            {
                next = i;
            }
        }

        return next < 0 ? new BatchPlan(-1, 0) : new BatchPlan(next, Math.Min(queues[next].Texts, Math.Max(1, tokens / queues[next].Length)));
    }
}
