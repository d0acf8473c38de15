using Parquet;
using Parquet.Schema;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Writes the rows of one split as Parquet: a group of rows is held in memory, so groups are small.</summary>
internal sealed class ParquetRowWriter : IAsyncDisposable
{
    /// <summary>Rows of a group: what a page of rows reads to find its first.</summary>
    private const int MaxGroupRows = 8_192;

    /// <summary>Characters of a group.</summary>
    private const int MaxGroupCharacters = 8 << 20;

    private readonly RowSchema _schema;
    private readonly ParquetSchema _fields;
    private readonly FileStream _file;
    private readonly ParquetWriter _writer;
    private readonly List<object?[]> _group = [];
    private int _characters;

    private ParquetRowWriter(RowSchema schema, ParquetSchema fields, FileStream file, ParquetWriter writer) =>
        (_schema, _fields, _file, _writer) = (schema, fields, file, writer);

    public long Rows { get; private set; }

    public static async Task<ParquetRowWriter> CreateAsync(string path, RowSchema schema, CancellationToken cancel)
    {
        var fields = new ParquetSchema([.. schema.Columns.Select(FieldOf)]);
        var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.Asynchronous);
        return new ParquetRowWriter(schema, fields, file, await ParquetWriter.CreateAsync(fields, file, new ParquetOptions { CompressionMethod = CompressionMethod.Zstd }, cancellationToken: cancel));
    }

    public async Task AddAsync(object?[] values, CancellationToken cancel)
    {
        _group.Add(values);
        Rows++;
        foreach (var value in values)
        {
            _characters += value switch { string text => text.Length, RawJson json => json.Text.Length, _ => 8 };
        }

        if (_group.Count >= MaxGroupRows || _characters >= MaxGroupCharacters)
        {
            await FlushAsync(cancel);
        }
    }

    /// <summary>Writes what is left and the footer; nothing may be added afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        await FlushAsync(CancellationToken.None); // must complete: the footer counts the rows
        await _writer.DisposeAsync();
        await _file.DisposeAsync();
    }

    private async Task FlushAsync(CancellationToken cancel)
    {
        if (_group.Count == 0)
        {
            return;
        }

        using var group = _writer.CreateRowGroup();
        for (var column = 0; column < _schema.Columns.Count; column++)
        {
            await WriteAsync(group, column, cancel);
        }

        group.CompleteValidate();
        _group.Clear();
        _characters = 0;
    }

    private async Task WriteAsync(ParquetRowGroupWriter group, int column, CancellationToken cancel)
    {
        var field = _fields.DataFields[column];
        switch (_schema.Columns[column].Type)
        {
            case ColumnType.Integer:
                await group.WriteAsync<long>(field, Column(column, value => value as long?), cancellationToken: cancel);
                break;
            case ColumnType.Number:
                await group.WriteAsync<double>(field, Column(column, value => value as double?), cancellationToken: cancel);
                break;
            case ColumnType.Boolean:
                await group.WriteAsync<bool>(field, Column(column, value => value as bool?), cancellationToken: cancel);
                break;
            default:
                await group.WriteAsync(field, (IReadOnlyCollection<string>)_group.ConvertAll(row => row[column] is RawJson json ? json.Text : row[column] as string)!);
                break;
        }
    }

    private ReadOnlyMemory<T?> Column<T>(int column, Func<object?, T?> read)
        where T : struct => _group.Select(row => read(row[column])).ToArray();

    private static Field FieldOf(RowColumn column) => column.Type switch
    {
        ColumnType.Integer => new DataField<long>(column.Name, true),
        ColumnType.Number => new DataField<double>(column.Name, true),
        ColumnType.Boolean => new DataField<bool>(column.Name, true),
        _ => new DataField<string>(column.Name, true),
    };
}
