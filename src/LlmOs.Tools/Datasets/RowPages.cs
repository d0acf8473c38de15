using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets;

/// <summary>The rows of a stored version, in order: split after split, numbered from 1.</summary>
internal sealed class RowPages(ArtifactStore store)
{
    /// <summary>Bytes of a page, beside its first row.</summary>
    private const int MaxPageBytes = 16 << 20;

    /// <param name="split">Its rows alone; null: all.</param>
    /// <param name="after">Rows to leave out at the beginning of what was asked for.</param>
    /// <exception cref="LlmOsException">404: there is no such split.</exception>
    public async IAsyncEnumerable<Row> ReadAsync(DatasetVersion version, string? split, long after, [EnumeratorCancellation] CancellationToken cancel)
    {
        var schema = RowSchema.Of(version.ReadColumns());
        var number = 0L;
        foreach (var file in FilesOf(version, split))
        {
            if (after >= file.Rows)
            {
                (after, number) = (after - file.Rows, number + file.Rows);
                continue;
            }

            number += after;
            await foreach (var values in ParquetRowReader.ReadAsync(store.PathOf(file.Sha256), schema, after, cancel))
            {
                yield return new Row(++number, file.Split, values);
            }

            after = 0;
        }
    }

    public async Task<Page<JsonElement>> PageAsync(DatasetVersion version, string? split, long after, int limit, CancellationToken cancel)
    {
        var total = FilesOf(version, split).Sum(f => f.Rows);
        if (after > total)
        {
            throw LlmOsException.Invalid("after", $"after: there is no row {after}; there are {total}.");
        }

        var schema = RowSchema.Of(version.ReadColumns());
        List<JsonElement> items = [];
        var (last, bytes) = (after, 0L);
        await foreach (var row in ReadAsync(version, split, after, cancel))
        {
            var json = Json(schema, row.Values);
            bytes += json.Length;
            if (items.Count > 0 && bytes > MaxPageBytes)
            {
                break;
            }

            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 66 });
            items.Add(document.RootElement.Clone());
            last = row.Number;
            if (items.Count == limit)
            {
                break;
            }
        }

        return new Page<JsonElement>(items, last < total ? last.ToString(CultureInfo.InvariantCulture) : null) { Total = (int)Math.Min(total, int.MaxValue) };
    }

    /// <summary>The files of a split, or all.</summary>
    public static IReadOnlyList<DatasetFile> FilesOf(DatasetVersion version, string? split)
    {
        IReadOnlyList<DatasetFile> files = [.. version.Ordered.Where(f => split is null || f.Split == split)];
        return files.Count > 0
            ? files
            : throw new LlmOsException(ErrorCode.NotFound, $"{version.Ref} has no split '{Shown.Of(split ?? "")}'; it has {string.Join(", ", version.Ordered.Select(f => f.Split))}.") { Field = "split" };
    }

    public static ReadOnlyMemory<byte> Json(RowSchema schema, object?[] values)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = RowJson.Writer(buffer))
        {
            RowJson.WriteObject(writer, schema, values);
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Writes all rows as JSON Lines.</summary>
    public async Task WriteJsonLinesAsync(DatasetVersion version, string? split, Stream to, CancellationToken cancel)
    {
        var schema = RowSchema.Of(version.ReadColumns());
        await foreach (var row in ReadAsync(version, split, 0, cancel))
        {
            await to.WriteAsync(Json(schema, row.Values), cancel);
            await to.WriteAsync("\n"u8.ToArray(), cancel);
        }
    }

    /// <summary>Writes all rows as CSV. A cell that a spreadsheet would run as a formula begins with an apostrophe.</summary>
    public async Task WriteCsvAsync(DatasetVersion version, string? split, Stream to, CancellationToken cancel)
    {
        await using var writer = new StreamWriter(to, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\r\n" };
        var columns = version.ReadColumns();
        await writer.WriteLineAsync(string.Join(',', columns.Select(c => CsvCell.Of(c.Name))).AsMemory(), cancel);
        await foreach (var row in ReadAsync(version, split, 0, cancel))
        {
            var line = string.Join(',', row.Values.Select(CsvCell.Of));
            await writer.WriteLineAsync((line.Length == 0 ? CsvCell.Empty : line).AsMemory(), cancel); // an empty line is no row
        }
    }
}

/// <summary>A cell of a CSV that is written.</summary>
internal static class CsvCell
{
    private static readonly SearchValues<char> Quoted = SearchValues.Create(",;\t\"\r\n");

    /// <summary>The only cell of a row, where it holds nothing.</summary>
    public const string Empty = "\"\"";

    public static string Of(object? value)
    {
        var text = value switch
        {
            null => "",
            string plain => Harmless(plain),
            RawJson json => json.Text,
            bool flag => flag ? "true" : "false",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => "",
        };
        return text.AsSpan().ContainsAny(Quoted) || text.StartsWith(' ') || text.EndsWith(' ') ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }

    /// <summary>Spreadsheets run a cell that begins with one of these; with an apostrophe in front they show it.</summary>
    private static string Harmless(string text) => text.Length > 0 && text[0] is ('=' or '+' or '-' or '@' or '\t' or '\r') ? "'" + text : text;
}
