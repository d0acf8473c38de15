namespace LlmOs.Models.Zoo.Blocks;

/// <summary>
/// A weight matrix in the order it is multiplied in: [<paramref name="Rows"/>, <paramref name="Columns"/>] is [out, in], one row
/// an output. A matrix may be put together from several published ones; its elements come row by row.
/// </summary>
/// <param name="Name">Unique in the graph; two uses of one name share one tensor.</param>
internal sealed record Matrix(string Name, long Rows, long Columns, Action<IFloatSink> Write);
