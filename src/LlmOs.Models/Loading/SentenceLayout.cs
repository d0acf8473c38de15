using System.Numerics.Tensors;
using LlmOs.Formats;

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
/// <param name="Steps">What is done with the vector then, in order.</param>
/// <param name="MaxTokens">Maximum tokens of a text; null: the model's own limit.</param>
internal sealed record SentenceLayout(IReadOnlyList<Pooling> Poolings, IReadOnlyList<SentenceStep> Steps, int? MaxTokens, SentencePrompts Prompts)
{
    public static SentenceLayout Plain { get; } = new([Pooling.Mean], [new NormaliseStep()], MaxTokens: null, SentencePrompts.None);

    /// <summary>Whether the tokens of a prompt are pooled with those of the text.</summary>
    public bool PoolsPrompt { get; init; } = true;

    /// <summary>Whether a text is brought to small letters before the tokenizer sees it.</summary>
    public bool LowersCase { get; init; }

    /// <summary>What the states of each layer weigh in those that are pooled; null: the last ones are.</summary>
    public LayerWeights? LayerWeights { get; init; }

    /// <summary>Width of a text's vector.</summary>
    /// <exception cref="ModelFormatException">The modules do not fit each other.</exception>
    public int WidthOf(int hidden) => Steps.Aggregate(Poolings.Count * hidden, (width, step) => step.WidthOf(width));

    /// <summary>The vector of a text.</summary>
    /// <param name="states">[tokens, hidden]</param>
    /// <param name="promptTokens">How many of the tokens are those of a prompt, which stand first.</param>
    public float[] Pool(ReadOnlySpan<float> states, int hidden, int promptTokens = 0)
    {
        var vector = new float[Poolings.Count * hidden];
        for (var i = 0; i < Poolings.Count; i++)
        {
            PoolInto(Poolings[i], states, PoolsPrompt ? 0 : Math.Min(promptTokens, (states.Length / hidden) - 1), vector.AsSpan(i * hidden, hidden));
        }

        return Steps.Aggregate(vector, (result, step) => step.Apply(result));
    }

    /// <summary>To length one; a zero vector stays.</summary>
    public static void NormaliseInPlace(Span<float> vector)
    {
        var length = TensorPrimitives.Norm<float>(vector);
        TensorPrimitives.Divide(vector, Math.Max(length, 1e-12f), vector);
    }

    /// <param name="from">The first token that counts, where tokens are put together.</param>
    private static void PoolInto(Pooling pooling, ReadOnlySpan<float> states, int from, Span<float> vector)
    {
        var hidden = vector.Length;
        var tokens = states.Length / hidden;
        switch (pooling)
        {
            case Pooling.First:
                states.Slice(from * hidden, hidden).CopyTo(vector);
                return;
            case Pooling.Last:
                states[^hidden..].CopyTo(vector);
                return;
            case Pooling.Max:
                states.Slice(from * hidden, hidden).CopyTo(vector);
                for (var at = from + 1; at < tokens; at++)
                {
                    TensorPrimitives.Max(vector, states.Slice(at * hidden, hidden), vector);
                }

                return;
        }

        var total = 0f;
        for (var at = from; at < tokens; at++)
        {
            var weight = pooling == Pooling.Weighted ? at + 1 : 1f;
            TensorPrimitives.MultiplyAdd(states.Slice(at * hidden, hidden), weight, vector, vector);
            total += weight;
        }

        TensorPrimitives.Divide(vector, pooling == Pooling.MeanRoot ? MathF.Sqrt(total) : total, vector);
    }
}

/// <summary>WeightedLayerPooling: the states from one layer on, each with its weight.</summary>
/// <param name="First">0 for the embeddings, then the layers from 1 on.</param>
/// <param name="Values">One for each layer from there to the last.</param>
internal sealed record LayerWeights(string File, int First, float[] Values)
{
    /// <summary>A weight for the embeddings and for each layer.</summary>
    /// <exception cref="ModelFormatException">The model has another number of layers.</exception>
    public IReadOnlyList<float> Of(int layers) => First + Values.Length == layers + 1
        ? [.. new float[First], .. Values]
        : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{File}: it weighs layers {First} to {First + Values.Length - 1}; the model has {layers}.");
}

/// <summary>Texts that a model wants before what it reads.</summary>
/// <param name="ByName">As <c>config_sentence_transformers.json</c> has them.</param>
/// <param name="Default">The name of the one that is used when none is named; null: none is.</param>
public sealed record SentencePrompts(IReadOnlyDictionary<string, string> ByName, string? Default)
{
    public static SentencePrompts None { get; } = new(new Dictionary<string, string>(), Default: null);
}
