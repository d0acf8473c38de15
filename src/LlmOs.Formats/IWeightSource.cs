using System.Collections.ObjectModel;

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

    /// <summary>Whether its elements can be read as weights.</summary>
    public bool IsFloating => Type is TensorType.F32 or TensorType.F16 or TensorType.BF16;

    /// <summary>The shape as people write it: <c>[384, 64]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}

/// <summary>The weights of a model by their published names, read as f32. Safe to read from several threads.</summary>
public interface IWeightSource
{
    IReadOnlyCollection<TensorInfo> Tensors { get; }

    /// <summary>Further names of tensors: files from which copies were taken out say so. They are found and read like the others.</summary>
    IReadOnlyDictionary<string, string> Aliases => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>The tensor of that name or alias, or null.</summary>
    TensorInfo? Find(string name);

    /// <summary>Reads a run of elements, widened to f32 without loss.</summary>
    /// <param name="name">A name in <see cref="Tensors"/> or <see cref="Aliases"/>.</param>
    /// <param name="offset">First element, counted in row-major order.</param>
    /// <param name="destination">As many elements as are wanted.</param>
    /// <exception cref="ModelFormatException">The elements are not f32, f16 or bf16.</exception>
    void Read(string name, long offset, Span<float> destination);
}
