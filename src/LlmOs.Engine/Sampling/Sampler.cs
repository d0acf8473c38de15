using System.Numerics.Tensors;

namespace LlmOs.Engine.Sampling;

/// <summary>A token and, where asked for, its log-probability and the best alternatives.</summary>
internal readonly record struct ChosenToken(int Token, float? Logprob, TokenLogprob[] Top);

/// <summary>Logits to token. Owns the work space of one loop; allocates only what a caller asked to see.</summary>
internal sealed class Sampler
{
    private readonly float[] _scores;
    private readonly float[] _weights;
    private readonly float[] _heap;
    private readonly int[] _ids;
    private readonly ulong[] _keys;

    public Sampler(int vocabulary)
    {
        _scores = new float[vocabulary];
        _weights = new float[vocabulary];
        _heap = new float[vocabulary];
        _ids = new int[vocabulary];
        _keys = new ulong[vocabulary];
    }

    /// <param name="logits">[vocabulary], as the model gave them.</param>
    /// <param name="position">Number of new tokens before this one: what the draw depends on besides the seed.</param>
    /// <exception cref="EngineStepException">The logits hold a number that is not one.</exception>
    /// <exception cref="EngineChoiceException">Rules leave no token to choose.</exception>
    public ChosenToken Choose(ReadOnlySpan<float> logits, TokenChoice choice, int position)
    {
        var best = Best(logits);
        var token = choice.Parameters.Temperature == 0
            ? Greedy(logits, best, choice, position)
            : Draw(logits, choice, position);

        // The model's own log-softmax: neither temperature nor penalties nor masks show in it.
        if (choice.TopLogprobs is not { } top)
        {
            return new ChosenToken(token, Logprob: null, []);
        }

        var normaliser = Normaliser(logits, logits[best]);
        return new ChosenToken(token, (float)(logits[token] - normaliser), Highest(logits, normaliser, top));
    }

    /// <summary>How likely a token was that is there already.</summary>
    /// <param name="logits">[vocabulary], after what stands before the token.</param>
    /// <param name="top">Most likely tokens to report with it.</param>
    /// <exception cref="EngineStepException">The logits hold a number that is not one.</exception>
    public ScoredToken Score(ReadOnlySpan<float> logits, int token, int top)
    {
        var highest = logits[Best(logits)];
        var normaliser = Normaliser(logits, highest);
        return new ScoredToken(token, logits[token] - normaliser, logits[token] >= highest, Highest(logits, normaliser, top));
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = TensorPrimitives.IndexOfMax(logits); // a NaN wins over every number
        return float.IsNaN(logits[best])
            ? throw new EngineStepException("The model computed logits that are not numbers (NaN); the weights or the graph are at fault.")
            : best;
    }

    private double Normaliser(ReadOnlySpan<float> logits, float highest) => highest + Math.Log(LogitFilters.Weigh(logits, highest, _weights));

    private int Greedy(ReadOnlySpan<float> logits, int best, TokenChoice choice, int position) =>
        choice.ChangesLogits(position) ? TensorPrimitives.IndexOfMax<float>(Changed(logits, choice, position)) : best;

    private int Draw(ReadOnlySpan<float> logits, TokenChoice choice, int position)
    {
        var settings = choice.Parameters;
        var scores = Changed(logits, choice, position);
        LogitFilters.Temperature(scores, settings.Temperature);
        for (var i = 0; i < settings.Filters.Count; i++)
        {
            settings.Filters[i].Apply(scores);
        }

        var ids = ReadOnlySpan<int>.Empty;
        if (settings.TopK > 0 && settings.TopK < scores.Length)
        {
            var count = LogitFilters.TopK(scores, _ids, settings.TopK, _heap);
            ids = _ids.AsSpan(0, count);
            scores = scores[..count];
        }

        var weights = _weights.AsSpan(0, scores.Length);
        if (settings.TopP < 1)
        {
            LogitFilters.TopP(scores, settings.TopP, weights, _keys.AsSpan(0, scores.Length));
        }

        if (settings.MinP > 0)
        {
            LogitFilters.MinP(scores, settings.MinP);
        }

        if (settings.TypicalP < 1)
        {
            LogitFilters.TypicalP(scores, settings.TypicalP, weights, _keys.AsSpan(0, scores.Length));
        }

        if (settings.EpsilonCutoff > 0)
        {
            LogitFilters.EpsilonCutoff(scores, settings.EpsilonCutoff, weights);
        }

        if (settings.EtaCutoff > 0)
        {
            LogitFilters.EtaCutoff(scores, settings.EtaCutoff, weights);
        }

        var total = LogitFilters.Weigh(scores, TensorPrimitives.Max<float>(scores), weights);
        var index = IndexAtMass(weights, SeededDraw.At(choice.Seed, position) * total);
        return ids.IsEmpty ? index : ids[index];
    }

    /// <summary>A copy of the logits with penalties, bias and bans applied.</summary>
    private Span<float> Changed(ReadOnlySpan<float> logits, TokenChoice choice, int position)
    {
        var scores = _scores.AsSpan(0, logits.Length);
        logits.CopyTo(scores);
        choice.Apply(scores, position);
        return TensorPrimitives.Max<float>(scores) > float.NegativeInfinity
            ? scores
            : throw new EngineChoiceException($"At new token {position + 1} the request's rules ban every token of the vocabulary.");
    }

    /// <summary>The first index at which the running sum passes the mass.</summary>
    private static int IndexAtMass(ReadOnlySpan<float> weights, double mass)
    {
        const int block = 1024;
        var at = 0;
        var below = 0.0;
        while (at + block < weights.Length)
        {
            var sum = TensorPrimitives.Sum(weights.Slice(at, block));
            if (below + sum > mass)
            {
                break;
            }

            below += sum;
            at += block;
        }

        var last = -1;
        for (; at < weights.Length; at++)
        {
            if (weights[at] > 0)
            {
                below += weights[at];
                last = at;
                if (below > mass)
                {
                    return at;
                }
            }
        }

        // Rounding: the mass was a hair above the sum.
        return last >= 0 ? last : TensorPrimitives.IndexOfMax(weights);
    }

    /// <summary>The highest logits with their log-probabilities, best first; among equals the lower id first.</summary>
    internal static TokenLogprob[] Highest(ReadOnlySpan<float> logits, double normaliser, int count)
    {
        count = Math.Min(count, logits.Length);
        if (count == 0)
        {
            return [];
        }

        var top = new TokenLogprob[count];
        var filled = 0;
        for (var token = 0; token < logits.Length; token++)
        {
            var logit = logits[token];
            if (filled == count && logit <= top[count - 1].Logprob)
            {
                continue;
            }

            // Holds logits until all are in.
            var at = filled < count ? filled++ : count - 1;
            while (at > 0 && top[at - 1].Logprob < logit)
            {
                top[at] = top[at - 1];
                at--;
            }

            top[at] = new TokenLogprob(token, logit);
        }

        foreach (ref var entry in top.AsSpan())
        {
            entry = entry with { Logprob = (float)(entry.Logprob - normaliser) };
        }

        return top;
    }
}
