namespace LlmOs.Formats;

/// <summary>How a tensor's elements are stored. Names are those of the safetensors format.</summary>
public enum TensorType
{
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F16,
    BF16,
    F32,
    F64,
}

/// <summary>A stored tensor: its name, shape (outermost dimension first) and element type.</summary>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Product of the shape; 1 for a scalar.</summary>
    public long Elements => Shape.Aggregate(1L, (product, n) => product * n);

    /// <summary>The shape as people write it: <c>[384, 64]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

/// <summary>The weights of a model by their published names, read as f32. Safe to read from several threads.</summary>
public interface IWeightSource
{
    IReadOnlyCollection<TensorInfo> Tensors { get; }

    /// <summary>The tensor of that name, or null.</summary>
    TensorInfo? Find(string name);

    /// <summary>Reads a run of elements, widened to f32 without loss.</summary>
    /// <param name="name">A name in <see cref="Tensors"/>.</param>
    /// <param name="offset">First element, counted in row-major order.</param>
    /// <param name="destination">As many elements as are wanted.</param>
    /// <exception cref="ModelFormatException">The elements are not f32, f16 or bf16.</exception>
    void Read(string name, long offset, Span<float> destination);
}
