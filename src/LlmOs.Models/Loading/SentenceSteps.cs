using System.Numerics.Tensors;
using LlmOs.Formats;

namespace LlmOs.Models.Loading;

/// <summary>What is done with the vector of a text after it was pooled: a module of a sentence-transformers layout.</summary>
internal abstract class SentenceStep
{
    /// <summary>The width of what comes out of a vector of a width.</summary>
    /// <exception cref="ModelFormatException">The module takes vectors of another width.</exception>
    public virtual int WidthOf(int width) => width;

    public abstract float[] Apply(float[] vector);
}

/// <summary>To length one.</summary>
internal sealed class NormaliseStep : SentenceStep
{
    public override float[] Apply(float[] vector)
    {
        SentenceLayout.NormaliseInPlace(vector);
        return vector;
    }
}

/// <summary>activation(W x + b), to which the vector itself may be added.</summary>
/// <param name="name">The module's folder.</param>
/// <param name="weight">[out, in]</param>
/// <param name="bias">[out], or empty.</param>
internal sealed class DenseStep(string name, float[] weight, float[] bias, int inputs, Action<float[]> activate) : SentenceStep
{
    private readonly int _outputs = weight.Length / inputs;

    /// <summary>Whether the vector is added to what the layer makes of it.</summary>
    public bool AddsInput { get; init; }

    /// <summary>[out, in]: the layer that it goes through first, or empty where the widths are the same.</summary>
    public float[] InputWeight { get; init; } = [];

    public override int WidthOf(int width) => width == inputs
        ? _outputs
        : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name}/config.json: in_features is {inputs}, and the vectors before it have {width} components.");

    public override float[] Apply(float[] vector)
    {
        var result = Product(weight, vector);
        if (bias.Length > 0)
        {
            TensorPrimitives.Add(result, bias, result);
        }

        activate(result);
        if (AddsInput)
        {
            TensorPrimitives.Add(result, InputWeight.Length > 0 ? Product(InputWeight, vector) : vector, result);
        }

        return result;
    }

    private float[] Product(float[] matrix, float[] vector)
    {
        var result = new float[_outputs];
        for (var i = 0; i < _outputs; i++)
        {
            result[i] = TensorPrimitives.Dot(matrix.AsSpan(i * inputs, inputs), vector);
        }

        return result;
    }
}

/// <summary>Mean 0 and variance 1 over the components, then a gain and an offset each.</summary>
/// <param name="name">The module's folder.</param>
internal sealed class LayerNormStep(string name, float[] gain, float[] offset) : SentenceStep
{
    private const double Epsilon = 1e-5; // torch's default, which no file changes

    public override int WidthOf(int width) => width == gain.Length
        ? width
        : throw new ModelFormatException(ModelFormatProblem.CorruptFile, $"{name}/config.json: dimension is {gain.Length}, and the vectors before it have {width} components.");

    public override float[] Apply(float[] vector)
    {
        var mean = vector.Average(v => (double)v);
        var scale = 1 / Math.Sqrt(vector.Average(v => (v - mean) * (v - mean)) + Epsilon);
        return [.. vector.Select((v, i) => (float)(((v - mean) * scale * gain[i]) + offset[i]))];
    }
}
