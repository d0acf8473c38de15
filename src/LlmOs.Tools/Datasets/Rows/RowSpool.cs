using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Reading;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>Rows on the way from their files to a version: as JSON lines in the job's folder, a file for each split, while the columns are found.</summary>
internal sealed class RowSpool(string folder) : IDisposable
{
    private const int FlushBytes = 1 << 16;

    /// <summary>A row was bounded as its file has it; escapes may make it longer here.</summary>
    private const int MaxLineBytes = 16 * RowLimits.MaxRowBytes;

    private readonly SchemaBuilder _columns = new();
    private readonly List<(string Split, string Path, FileStream File)> _splits = [];
    private readonly ArrayBufferWriter<byte> _line = new();

    public long Rows { get; private set; }

    /// <summary>Whether any row had a field.</summary>
    public bool HasColumns => _columns.Count > 0;

    public void Add(string split, SourceRow row, ReadPlan plan)
    {
        foreach (var (name, value) in row.Fields)
        {
            CheckName(name, row, plan);
            _columns.See(name, value);
        }

        if (_columns.Count > RowLimits.MaxColumns)
        {
            throw RowFault.Of(plan.Place, row.Number, $"brings the columns to {_columns.Count}; a data set has at most {RowLimits.MaxColumns}.", ErrorCode.TooLarge);
        }

        _line.ResetWrittenCount();
        using (var writer = RowJson.Writer(_line))
        {
            writer.WriteStartObject();
            foreach (var (name, value) in row.Fields)
            {
                writer.WritePropertyName(name);
                RowJson.Write(writer, value);
            }

            writer.WriteEndObject();
        }

        _line.Write("\n"u8);
        FileOf(split).Write(_line.WrittenSpan);
        Rows++;
    }

    /// <summary>Ends the writing.</summary>
    public RowSchema Finish()
    {
        Dispose();
        return _columns.Build();
    }

    /// <summary>The rows, split by split, as the columns hold them.</summary>
    public async IAsyncEnumerable<(string Split, object?[] Values)> ReadAsync(RowSchema schema, [EnumeratorCancellation] CancellationToken cancel)
    {
        var plan = new ReadPlan(SourceFormat.JsonLines, null, false, null, true);
        foreach (var (split, path, _) in _splits)
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, FlushBytes, FileOptions.Asynchronous | FileOptions.SequentialScan | FileOptions.DeleteOnClose);
            await foreach (var line in LineReader.ReadAsync(file, plan, static () => 0, cancel, MaxLineBytes))
            {
                yield return (split, Values(line, schema));
            }
        }
    }

    public void Dispose()
    {
        foreach (var (_, _, file) in _splits)
        {
            file.Dispose();
        }
    }

    private static object?[] Values(ReadOnlyMemory<byte> line, RowSchema schema)
    {
        using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = JsonRow.MaxDepth + 1 });
        var values = new object?[schema.Columns.Count];
        foreach (var property in document.RootElement.EnumerateObject())
        {
            var column = schema.Find(property.Name);
            values[column] = schema.Columns[column].Fit(RowJson.Value(property.Value));
        }

        return values;
    }

    private static void CheckName(string name, SourceRow row, ReadPlan plan)
    {
        if (name.Length is 0 or > RowLimits.MaxName || name.Any(char.IsControl) || RowFault.FaultOf(name) is not null)
        {
            throw RowFault.Of(plan.Place, row.Number, $"'{Shown.Of(name)}' is not the name of a column: it has 1 to {RowLimits.MaxName} characters, none of them a control character.");
        }
    }

    private FileStream FileOf(string split)
    {
        var at = _splits.FindIndex(s => s.Split == split);
        if (at >= 0)
        {
            return _splits[at].File;
        }

        var path = Path.Combine(folder, $"rows-{_splits.Count}.jsonl");
        var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, FlushBytes);
        _splits.Add((split, path, file));
        return file;
    }
}
