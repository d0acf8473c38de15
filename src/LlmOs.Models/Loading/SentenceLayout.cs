using System.Numerics.Tensors;

namespace LlmOs.Models.Loading;

/// <summary>How the states of a text's tokens become one vector.</summary>
internal enum Pooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The first one.</summary>
    First,

    /// <summary>The greatest of each component.</summary>
    Max,

    /// <summary>Their sum over the root of their number.</summary>
    MeanRoot,

    /// <summary>Their mean, later tokens weighing more.</summary>
    Weighted,

    /// <summary>The last one.</summary>
    Last,
}

/// <summary>A sentence-transformers layout: what <c>modules.json</c> and the files it names say. Without them: mean and L2 norm.</summary>
/// <param name="Poolings">Their vectors are put one after the other.</param>
/// <param name="MaxTokens">Maximum tokens of a text; null: the model's own limit.</param>
/// <param name="Prompts">Texts that are put before the input, by name.</param>
/// <param name="DefaultPrompt">The prompt that is used when none is named.</param>
internal sealed record SentenceLayout(
    IReadOnlyList<Pooling> Poolings, bool Normalise, int? MaxTokens, IReadOnlyDictionary<string, string> Prompts, string? DefaultPrompt)
{
    public static SentenceLayout Plain { get; } = new([Pooling.Mean], Normalise: true, MaxTokens: null, new Dictionary<string, string>(), DefaultPrompt: null);

    /// <summary>The vector of a text.</summary>
    /// <param name="states">[tokens, hidden]</param>
    public float[] Pool(ReadOnlySpan<float> states, int hidden)
    {
        var vector = new float[Poolings.Count * hidden];
        for (var i = 0; i < Poolings.Count; i++)
        {
            PoolInto(Poolings[i], states, vector.AsSpan(i * hidden, hidden));
        }

        if (Normalise)
        {
            NormaliseInPlace(vector);
        }

        return vector;
    }

    /// <summary>To length one; a zero vector stays.</summary>
    public static void NormaliseInPlace(Span<float> vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        TensorPrimitives.Divide(vector, Math.Max(length, 1e-12f), vector);
    }

    private static void PoolInto(Pooling pooling, ReadOnlySpan<float> states, Span<float> vector)
    {
        var hidden = vector.Length;
        var tokens = states.Length / hidden;
        switch (pooling)
        {
            case Pooling.First:
                states[..hidden].CopyTo(vector);
                return;
            case Pooling.Last:
                states[^hidden..].CopyTo(vector);
                return;
            case Pooling.Max:
                states[..hidden].CopyTo(vector);
                for (var at = 1; at < tokens; at++)
                {
                    TensorPrimitives.Max(vector, states.Slice(at * hidden, hidden), vector);
                }

                return;
        }

        var total = 0f;
        for (var at = 0; at < tokens; at++)
        {
            var weight = pooling == Pooling.Weighted ? at + 1 : 1f;
            TensorPrimitives.MultiplyAdd(states.Slice(at * hidden, hidden), weight, vector, vector);
            total += weight;
        }

        TensorPrimitives.Divide(vector, pooling == Pooling.MeanRoot ? MathF.Sqrt(tokens) : total, vector);
    }
}
