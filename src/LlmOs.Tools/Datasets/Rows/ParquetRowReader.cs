using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Schema;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Reads rows that <see cref="ParquetRowWriter"/> wrote.</summary>
internal static class ParquetRowReader
{
    /// <param name="skip">Rows to leave out at the beginning; whole groups of them are not read.</param>
    public static async IAsyncEnumerable<object?[]> ReadAsync(string path, RowSchema schema, long skip, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16, FileOptions.Asynchronous);
        await using var reader = await ParquetReader.CreateAsync(file, cancellationToken: cancel);
        for (var at = 0; at < reader.RowGroupCount; at++)
        {
            using var group = reader.OpenRowGroupReader(at);
            if (skip >= group.RowCount)
            {
                skip -= group.RowCount;
                continue;
            }

            var rows = new object?[group.RowCount][];
            for (var row = 0; row < rows.Length; row++)
            {
                rows[row] = new object?[schema.Columns.Count];
            }

            for (var column = 0; column < schema.Columns.Count; column++)
            {
                await FillAsync(group, reader.Schema.DataFields[column], schema.Columns[column].Type, rows, column, cancel);
            }

            for (var row = (int)skip; row < rows.Length; row++)
            {
                cancel.ThrowIfCancellationRequested(); // what is done with a row may take long
                yield return rows[row];
            }

            skip = 0;
        }
    }

    private static async Task FillAsync(ParquetRowGroupReader group, DataField field, ColumnType type, object?[][] rows, int column, CancellationToken cancel)
    {
        switch (type)
        {
            case ColumnType.Integer:
                await FillAsync<long>(group, field, rows, column, cancel);
                break;
            case ColumnType.Number:
                await FillAsync<double>(group, field, rows, column, cancel);
                break;
            case ColumnType.Boolean:
                await FillAsync<bool>(group, field, rows, column, cancel);
                break;
            default:
                var texts = new string?[rows.Length];
                await group.ReadAsync(field, texts.AsMemory()!, cancellationToken: cancel);
                for (var row = 0; row < rows.Length; row++)
                {
                    rows[row][column] = type == ColumnType.Json && texts[row] is { } json ? new RawJson(json) : texts[row];
                }

                break;
        }
    }

    private static async Task FillAsync<T>(ParquetRowGroupReader group, DataField field, object?[][] rows, int column, CancellationToken cancel)
        where T : struct
    {
        var values = new T?[rows.Length];
        await group.ReadAsync<T>(field, values.AsMemory(), cancellationToken: cancel);
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row][column] = values[row];
        }
    }
}
