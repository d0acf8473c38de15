using System.Numerics.Tensors;

namespace LlmOs.Engine.Sampling;

/// <summary>
/// Changes scores in place before a token is drawn; a score of minus infinity is out. Same definitions, and meant to be
/// called in the same order, as the logits processors of transformers: penalties and bias, temperature, top-k, top-p, min-p.
/// </summary>
/// <remarks>Nothing is allocated: work space is passed in. Every filter works on what the one before left.</remarks>
internal static class LogitFilters
{
    private const int Bins = 2048;
    private const float BinsPerUnit = 128; // the bins reach 16 down from the best: e^-16 is a ten-millionth of it

    /// <summary>Divides positive and multiplies negative scores of the tokens seen, once however often they occur.</summary>
    public static void RepetitionPenalty(Span<float> scores, ReadOnlySpan<int> seen, float penalty)
    {
        foreach (var token in seen)
        {
            scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
        }
    }

    /// <summary>OpenAI's: score - count * frequency - presence, for the tokens of the reply.</summary>
    public static void OccurrencePenalties(Span<float> scores, ReadOnlySpan<int> made, ReadOnlySpan<int> counts, float presence, float frequency)
    {
        for (var i = 0; i < made.Length; i++)
        {
            scores[made[i]] -= (counts[i] * frequency) + presence;
        }
    }

    /// <summary>Adds to scores by token.</summary>
    public static void Bias(Span<float> scores, IReadOnlyDictionary<int, float> bias)
    {
        foreach (var (token, amount) in bias)
        {
            scores[token] += amount;
        }
    }

    /// <summary>Takes tokens out; ids that the vocabulary does not have are no one to take out.</summary>
    public static void Ban(Span<float> scores, IReadOnlyList<int> tokens)
    {
        for (var i = 0; i < tokens.Count; i++)
        {
            if ((uint)tokens[i] < (uint)scores.Length)
            {
                scores[tokens[i]] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Log-softmax of what is left; scores of which nothing is left stay as they are.</summary>
    /// <param name="weights">Work space as long as the scores.</param>
    public static void Normalise(Span<float> scores, Span<float> weights)
    {
        var best = TensorPrimitives.Max<float>(scores);
        if (float.IsFinite(best))
        {
            TensorPrimitives.Subtract(scores, (float)(best + Math.Log(Weigh(scores, best, weights))), scores);
        }
    }

    /// <param name="temperature">Above 0; greedy choice is no filter. So small a one that scores leave the range of f32 is the limit: the best alone stay.</param>
    public static void Temperature(Span<float> scores, double temperature)
    {
        if (temperature == 1)
        {
            return;
        }

        var divisor = (float)temperature;
        var best = TensorPrimitives.Max<float>(scores);
        if (float.IsFinite(best / divisor))
        {
            TensorPrimitives.Divide(scores, divisor, scores);
            return;
        }

        for (var i = 0; i < scores.Length; i++)
        {
            scores[i] = scores[i] == best ? 0 : float.NegativeInfinity;
        }
    }

    /// <summary>The k-th highest score; whoever keeps what is not below it keeps k and all ties with the last.</summary>
    /// <param name="heap">Work space, at least min(k, scores.Length) long.</param>
    public static float KthHighest(ReadOnlySpan<float> scores, int k, Span<float> heap)
    {
        k = Math.Min(k, scores.Length);
        heap = heap[..k];
        scores[..k].CopyTo(heap);
        for (var i = (k / 2) - 1; i >= 0; i--)
        {
            SiftDown(heap, i);
        }

        foreach (var score in scores[k..])
        {
            if (score > heap[0])
            {
                heap[0] = score;
                SiftDown(heap, 0);
            }
        }

        return heap[0];
    }

    /// <summary>
    /// Keeps the k highest scores and all ties with the last, moved together at the front in their old order, so that the
    /// filters after it look at k scores and not at a vocabulary.
    /// </summary>
    /// <param name="ids">Receives the old index of each score kept; as long as the scores.</param>
    /// <param name="heap">Work space, at least min(k, scores.Length) long.</param>
    /// <returns>Scores kept.</returns>
    public static int TopK(Span<float> scores, Span<int> ids, int k, Span<float> heap)
    {
        var lowest = KthHighest(scores, k, heap);
        var count = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] >= lowest)
            {
                ids[count] = i;
                scores[count++] = scores[i];
            }
        }

        return count;
    }

    /// <summary>Keeps a score if the probability mass ranked above it is below <paramref name="p"/>; the best always stays.</summary>
    /// <remarks>
    /// Among equal scores at the border the lower index stays. Scores are not sorted: their mass is gathered in bins by
    /// distance from the best, and only the bin in which the border lies is put in order.
    /// </remarks>
    /// <param name="weights">Work space as long as the scores.</param>
    /// <param name="keys">Work space as long as the scores.</param>
    public static void TopP(Span<float> scores, double p, Span<float> weights, Span<ulong> keys)
    {
        var best = TensorPrimitives.Max<float>(scores);
        var budget = p * Weigh(scores, best, weights);
        Span<double> masses = stackalloc double[Bins];
        masses.Clear();
        for (var i = 0; i < scores.Length; i++)
        {
            masses[BinOf(scores[i], best)] += weights[i];
        }

        var above = 0.0;
        var border = 0;
        while (border < Bins - 1 && above + masses[border] < budget)
        {
            above += masses[border++];
        }

        var count = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            var bin = BinOf(scores[i], best);
            if (bin == border)
            {
                keys[count++] = Key(scores[i], i);
            }
            else if (bin > border)
            {
                scores[i] = float.NegativeInfinity;
            }
        }

        var ranked = keys[..count];
        ranked.Sort();
        for (var rank = 0; rank < ranked.Length; rank++)
        {
            var index = IndexOf(ranked[rank]);
            var isBest = border == 0 && rank == 0;
            if (!isBest && above >= budget)
            {
                scores[index] = float.NegativeInfinity;
            }

            above += weights[index];
        }
    }

    /// <summary>Keeps scores whose probability is at least this share of the best one's; ties with the border stay.</summary>
    public static void MinP(Span<float> scores, double minP)
    {
        // p_i >= minP * p_best, in logarithms.
        var best = TensorPrimitives.Max<float>(scores);
        var distance = Math.Log(minP);
        foreach (ref var score in scores)
        {
            if ((double)score - best < distance)
            {
                score = float.NegativeInfinity;
            }
        }
    }

    /// <summary>
    /// Keeps the scores whose surprise, -log p, is nearest to the entropy, until their mass reaches <paramref name="mass"/>;
    /// ties with the border stay (arXiv 2202.00666).
    /// </summary>
    /// <param name="weights">Work space as long as the scores.</param>
    /// <param name="keys">Work space as long as the scores.</param>
    public static void TypicalP(Span<float> scores, double mass, Span<float> weights, Span<ulong> keys)
    {
        var best = TensorPrimitives.Max<float>(scores);
        var total = Weigh(scores, best, weights);
        var entropy = Entropy(scores, best, weights, total);
        var normaliser = best + Math.Log(total);
        for (var i = 0; i < scores.Length; i++)
        {
            var distance = (float)Math.Abs(normaliser - scores[i] - entropy);
            keys[i] = ((ulong)BitConverter.SingleToUInt32Bits(distance) << 32) | (uint)i; // distances are not negative
        }

        keys = keys[..scores.Length];
        keys.Sort();
        var sum = 0.0;
        var border = 0;
        while (border < keys.Length - 1 && (sum += weights[IndexOf(keys[border])] / total) < mass)
        {
            border++;
        }

        var limit = keys[border] >> 32;
        for (var rank = border + 1; rank < keys.Length; rank++)
        {
            if (keys[rank] >> 32 > limit)
            {
                scores[IndexOf(keys[rank])] = float.NegativeInfinity;
            }
        }
    }

    /// <summary>Keeps scores of at least this probability, and the best.</summary>
    public static void EpsilonCutoff(Span<float> scores, double epsilon, Span<float> weights)
    {
        var best = TensorPrimitives.Max<float>(scores);
        KeepLikely(scores, best, epsilon * Weigh(scores, best, weights), weights);
    }

    /// <summary>The same with min(epsilon, sqrt(epsilon) * e^-entropy) (arXiv 2210.15191).</summary>
    public static void EtaCutoff(Span<float> scores, double epsilon, Span<float> weights)
    {
        var best = TensorPrimitives.Max<float>(scores);
        var total = Weigh(scores, best, weights);
        var eta = Math.Min(epsilon, Math.Sqrt(epsilon) * Math.Exp(-Entropy(scores, best, weights, total)));
        KeepLikely(scores, best, eta * total, weights);
    }

    private static void KeepLikely(Span<float> scores, float best, double min, ReadOnlySpan<float> weights)
    {
        for (var i = 0; i < scores.Length; i++)
        {
            if (weights[i] < min && scores[i] != best)
            {
                scores[i] = float.NegativeInfinity;
            }
        }
    }

    private static double Entropy(ReadOnlySpan<float> scores, float best, ReadOnlySpan<float> weights, double total)
    {
        var normaliser = best + Math.Log(total);
        var entropy = 0.0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (weights[i] > 0)
            {
                entropy += weights[i] / total * (normaliser - scores[i]);
            }
        }

        return entropy;
    }

    /// <summary>Writes exp(score - best) and returns the sum.</summary>
    public static double Weigh(ReadOnlySpan<float> scores, float best, Span<float> weights)
    {
        // In blocks: a float sum over a whole vocabulary loses digits, a double sum by element loses time.
        const int block = 1024;
        var total = 0.0;
        for (var at = 0; at < scores.Length; at += block)
        {
            var length = Math.Min(block, scores.Length - at);
            var part = weights.Slice(at, length);
            TensorPrimitives.Subtract(scores.Slice(at, length), best, part);
            TensorPrimitives.Exp(part, part);
            total += TensorPrimitives.Sum<float>(part);
        }

        return total;
    }

    /// <summary>The bin of a score: by distance from the best, the last one for all that are far away or out.</summary>
    private static int BinOf(float score, float best)
    {
        var distance = (best - score) * BinsPerUnit;
        return distance < Bins - 1 ? (int)distance : Bins - 1;
    }

    /// <summary>Sorts ascending as scores sort descending, then by index.</summary>
    private static ulong Key(float score, int index)
    {
        var bits = BitConverter.SingleToUInt32Bits(score + 0f); // + 0f: minus zero becomes zero
        var ascending = (bits & 0x8000_0000) == 0 ? bits | 0x8000_0000 : ~bits;
        return ((ulong)~ascending << 32) | (uint)index;
    }

    private static int IndexOf(ulong key) => (int)(uint)key;

    private static void SiftDown(Span<float> heap, int at)
    {
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= heap.Length)
            {
                return;
            }

            if (child + 1 < heap.Length && heap[child + 1] < heap[child])
            {
                child++;
            }

            if (heap[at] <= heap[child])
            {
                return;
            }

            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }
}
