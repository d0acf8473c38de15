namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// A weight matrix in the order it is multiplied in: [<paramref name="Rows"/>, <paramref name="Columns"/>] is [out, in], one row
/// an output. A matrix may be put together from several published ones; its elements come row by row.
/// </summary>
/// <param name="Name">Unique in the graph; two uses of one name share one tensor.</param>
internal sealed record Matrix(string Name, long Rows, long Columns, Action<IFloatSink> Write)
{
    public MatrixKind Kind { get; init; } = MatrixKind.Projection;

    /// <summary>
    /// Whether rounding what it is multiplied with costs much: at int8 its inputs keep about 16 bits. Which ones do was measured
    /// (docs/adr/0345-int8-rounds-where-it-costs-little.md).
    /// </summary>
    public bool IsSensitive { get; init; }
}

/// <summary>What a matrix does, which decides how far it may be rounded.</summary>
internal enum MatrixKind
{
    Projection,

    /// <summary>An embedding or a head: it decides which token wins, so it is rounded to 8 bits at most.</summary>
    Vocabulary,

    /// <summary>Chooses experts; small, and a flipped choice changes everything after it. Stays f32.</summary>
    Router,
}
