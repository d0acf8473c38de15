using LlmOs.Contracts;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Shapes;

/// <summary>What a version's rows are for training, and which of them do not fit.</summary>
internal static class ShapeCheck
{
    /// <summary>Faults that are named; beyond them they are counted.</summary>
    private const int MaxFaults = 100;

    /// <param name="rows">In their order.</param>
    public static async Task<DatasetShape> CheckAsync(DatasetVersion version, IAsyncEnumerable<Row> rows, CancellationToken cancel)
    {
        var schema = RowSchema.Of(version.ReadColumns());
        if (TrainingShapes.Recognise(schema) is not { } shape)
        {
            return new DatasetShape(version.Ref, null, [], [], version.Rows, 0, 0, []);
        }

        List<DatasetRowFault> faults = [];
        var (read, count) = (0L, 0L);
        await foreach (var row in rows.WithCancellation(cancel))
        {
            read++;
            if (FaultOf(shape, schema, row) is { } fault && ++count <= MaxFaults)
            {
                faults.Add(fault);
            }
        }

        return new DatasetShape(version.Ref, shape.Word, shape.Kinds, [.. shape.Target(schema).Columns.Select(c => c.ToView())], version.Rows, read, count, faults);
    }

    private static DatasetRowFault? FaultOf(ITrainingShape shape, RowSchema schema, Row row)
    {
        try
        {
            shape.Convert(new ShapeRow(schema, row.Values));
            return null;
        }
        catch (ShapeException fault)
        {
            return new DatasetRowFault(row.Number, fault.Field, fault.Code, fault.Message);
        }
    }
}
