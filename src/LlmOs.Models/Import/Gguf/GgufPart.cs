using LlmOs.Formats.Gguf;

namespace LlmOs.Models.Import.Gguf;

/// <summary>Where the elements of a published weight lie in a GGUF file.</summary>
/// <param name="Name">The published name.</param>
/// <param name="Shape">The published shape.</param>
internal sealed record GgufPart(string Name, IReadOnlyList<long> Shape, GgufTensor Tensor)
{
    /// <summary>The stored row at which it begins; a row is a run along the innermost dimension.</summary>
    public long FirstRow { get; init; }

    /// <summary>Stored row of a published row, both counted from the weight's beginning; null where the order is the same.</summary>
    public Func<long, long>? RowOf { get; init; }

    /// <summary>Added to each element.</summary>
    public float Offset { get; init; }

    /// <summary>Whether it is stored [out, in] and published [in, out].</summary>
    public bool Turned { get; init; }

    /// <summary>The whole tensor under a published name.</summary>
    public static GgufPart Whole(string name, GgufTensor tensor) => new(name, tensor.Shape, tensor);
}
