using System.Collections.Immutable;

namespace LlmOs.Engine.Scheduling;

/// <summary>A caller with texts that wait, as decisions see it.</summary>
/// <param name="Pass">Tokens run for it, by weight.</param>
internal readonly record struct BatchFlow(double Pass);

/// <summary>Waiting texts of one caller that may run together: of one padded length, and of which the same is wanted.</summary>
/// <param name="Flow">Its caller, by index.</param>
/// <param name="Oldest">Number of the first of them; numbers rise with every text.</param>
/// <param name="Texts">At least one.</param>
internal readonly record struct BatchQueue(int Flow, int Length, EncoderOutput Wanted, long Oldest, int Texts);

/// <summary>So many texts of a queue, oldest first.</summary>
internal readonly record struct BatchPart(int Queue, int Count);

/// <summary>
/// Which texts run together: the caller who has had the fewest tokens for its weight has its oldest text in the next batch, and
/// others like it fill the batch up, its own first.
/// </summary>
internal static class BatchOrder
{
    /// <param name="tokens">Tokens of a batch, padding among them. A longer text runs alone.</param>
    /// <returns>The texts of the next step, all of one length; none where none waits.</returns>
    public static ImmutableArray<BatchPart> Next(ReadOnlySpan<BatchQueue> queues, ReadOnlySpan<BatchFlow> flows, int tokens)
    {
        var first = First(queues, flows);
        if (first < 0)
        {
            return [];
        }

        var room = Math.Max(1, tokens / queues[first].Length);
        var parts = ImmutableArray.CreateBuilder<BatchPart>();
        Take(first, queues[first].Texts);
        for (var i = 0; i < queues.Length && room > 0; i++)
        {
            if (i != first && queues[i].Length == queues[first].Length && queues[i].Wanted == queues[first].Wanted)
            {
                Take(i, queues[i].Texts);
            }
        }

        return parts.DrainToImmutable();

        void Take(int queue, int texts)
        {
            var count = Math.Min(room, texts);
            room -= count;
            parts.Add(new BatchPart(queue, count));
        }
    }

    private static int First(ReadOnlySpan<BatchQueue> queues, ReadOnlySpan<BatchFlow> flows)
    {
        var first = -1;
        for (var i = 0; i < queues.Length; i++)
        {
            if (first < 0 || IsBefore(queues[i], queues[first], flows))
            {
                first = i;
            }
        }

        return first;
    }

    private static bool IsBefore(in BatchQueue a, in BatchQueue b, ReadOnlySpan<BatchFlow> flows)
    {
        var (passA, passB) = (flows[a.Flow].Pass, flows[b.Flow].Pass);
        return passA != passB ? passA < passB : a.Oldest < b.Oldest;
    }
}
