namespace LlmOs.Formats.Gguf;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">As GGUF names it: <c>blk.3.attn_q.weight</c>.</param>
/// <param name="Shape">Outermost dimension first, as everywhere else here; the file holds the reverse.</param>
/// <param name="Offset">First byte, counted from the start of the file.</param>
/// <param name="Bytes">Length in bytes.</param>
public sealed record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    public long Elements => Shape.Aggregate(1L, (product, n) => product * n);

    /// <summary>The shape as people write it: <c>[384, 64]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}
