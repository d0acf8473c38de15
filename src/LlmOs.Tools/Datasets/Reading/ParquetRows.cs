using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Unicode;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;
using Parquet;
using Parquet.Serialization;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>Parquet of any writer; lists and structures become JSON. A file's footer is not believed before it is checked.</summary>
internal static class ParquetRows
{
    /// <summary>Rows of a group, which is read at once.</summary>
    private const long MaxGroupRows = 4_000_000;

    /// <summary>Bytes of a group, unpacked.</summary>
    private const long MaxGroupBytes = 512L << 20;

    /// <summary>The least a file is: a mark at both ends and a length.</summary>
    private const int MinBytes = 12;

    private const int MaxFooterBytes = 64 << 20;

    private static readonly ParquetOptions AsText = new() { TreatByteArrayAsString = true };

    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.Asynchronous);
        CheckEnds(file, plan);
        var groups = await GuardAsync(() => GroupsAsync(file, plan, cancel), plan, 1);
        long row = 0;
        for (var group = 0; group < groups; group++)
        {
            var at = group;
            var rows = await GuardAsync(
                async () =>
                {
                    file.Position = 0;
                    return (await ParquetSerializer.DeserializeUntypedAsync(file, AsText, at, cancel)).Data;
                },
                plan,
                row + 1);
            foreach (var fields in rows)
            {
                row++;
                yield return new SourceRow(row, [.. fields.Select(field => new KeyValuePair<string, object?>(field.Key, ValueOf(field.Value, plan, row, field.Key)))]);
            }
        }
    }

    private static void CheckEnds(FileStream file, ReadPlan plan)
    {
        Span<byte> ends = stackalloc byte[MinBytes];
        if (file.Length >= MinBytes)
        {
            file.ReadExactly(ends[..4]);
            file.Position = file.Length - 8;
            file.ReadExactly(ends[4..]);
            var footer = System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(ends[4..8]);
            if (ends[..4].SequenceEqual("PAR1"u8) && ends[8..].SequenceEqual("PAR1"u8) && footer > 0 && footer <= Math.Min(file.Length - MinBytes, MaxFooterBytes))
            {
                file.Position = 0;
                return;
            }
        }

        throw Corrupt(plan, 1, "its beginning, its end or the length of its footer is not that of a Parquet file", null);
    }

    /// <summary>How many groups there are, once each is known to be what memory has room for.</summary>
    private static async Task<int> GroupsAsync(FileStream file, ReadPlan plan, CancellationToken cancel)
    {
        await using var reader = await ParquetReader.CreateAsync(file, AsText, leaveStreamOpen: true, cancel);
        if (reader.Schema.Fields.Count > RowLimits.MaxColumns)
        {
            throw RowFault.Of(plan.Place, 1, $"has {reader.Schema.Fields.Count} columns; a data set has at most {RowLimits.MaxColumns}.", ErrorCode.TooLarge);
        }

        long row = 1;
        foreach (var group in reader.Metadata!.RowGroups)
        {
            if (group.NumRows < 0 || group.NumRows > MaxGroupRows || group.TotalByteSize < 0 || group.TotalByteSize > MaxGroupBytes)
            {
                throw RowFault.Of(
                    plan.Place, row, $"the group of rows that begins here is said to have {group.NumRows} rows and {group.TotalByteSize} bytes; at most {MaxGroupRows} and {MaxGroupBytes} are read. Write the file with smaller groups.", ErrorCode.TooLarge);
            }

            foreach (var column in group.Columns)
            {
                var meta = column.MetaData;
                if (meta is null || meta.TotalCompressedSize < 0 || meta.DataPageOffset < 0 || meta.DataPageOffset > file.Length - meta.TotalCompressedSize
                    || meta.TotalUncompressedSize is < 0 or > MaxGroupBytes || meta.NumValues is < 0 or > int.MaxValue / 16)
                {
                    throw Corrupt(plan, row, "its footer says that a column lies where the file is not", null);
                }
            }

            row += group.NumRows;
        }

        return reader.RowGroupCount;
    }

    /// <summary>What a library throws over a damaged file is anything; none of it is this server's fault.</summary>
    private static async Task<T> GuardAsync<T>(Func<Task<T>> read, ReadPlan plan, long row)
    {
        try
        {
            return await read();
        }
        catch (OutOfMemoryException fault)
        {
            throw Corrupt(plan, row, "it asks for more memory than there is", fault);
        }
        catch (Exception fault) when (fault is not (LlmOsException or OperationCanceledException))
        {
            throw Corrupt(plan, row, "it could not be read as Parquet", fault);
        }
    }

    private static LlmOsException Corrupt(ReadPlan plan, long row, string what, Exception? cause) =>
        RowFault.Of(plan.Place, row, $"the Parquet file is damaged: {what}.", ErrorCode.CorruptFile, cause);

    private static object? ValueOf(object? value, ReadPlan plan, long row, string field)
    {
        switch (value)
        {
            case string text:
                return RowFault.FaultOf(text) is { } fault ? throw RowFault.Of(plan.Place, row, $"'{Shown.Of(field)}' {fault}.") : text;
            case null or long or bool:
                return value;
            case double or float:
                var number = Convert.ToDouble(value, CultureInfo.InvariantCulture);
                return double.IsFinite(number) ? number : null;
            case sbyte or short or int or byte or ushort or uint:
                return Convert.ToInt64(value, CultureInfo.InvariantCulture);
            case ulong big:
                return big <= long.MaxValue ? (long)big : (double)big;
            case decimal exact:
                return (double)exact;
            case DateTime time:
                return time.ToString("o", CultureInfo.InvariantCulture);
            case ReadOnlyMemory<char> characters:
                return ValueOf(characters.ToString(), plan, row, field);
            case ReadOnlyMemory<byte> memory:
                return ValueOf(memory.ToArray(), plan, row, field);
            case byte[] bytes:
                return Utf8.IsValid(bytes) ? ValueOf(Encoding.UTF8.GetString(bytes), plan, row, field) : Convert.ToBase64String(bytes);
            case IDictionary<string, object> or IDictionary or IEnumerable:
                var buffer = new System.Buffers.ArrayBufferWriter<byte>();
                using (var writer = RowJson.Writer(buffer))
                {
                    Write(writer, value, plan, row, field);
                }

                return new RawJson(Encoding.UTF8.GetString(buffer.WrittenSpan));
            case IFormattable other:
                return other.ToString(null, CultureInfo.InvariantCulture);
            default:
                throw RowFault.Of(plan.Place, row, $"'{Shown.Of(field)}' is of a type that is not read.", ErrorCode.UnsupportedFormat);
        }
    }

    private static void Write(System.Text.Json.Utf8JsonWriter writer, object? value, ReadPlan plan, long row, string field)
    {
        switch (value)
        {
            case IDictionary<string, object> map:
                writer.WriteStartObject();
                foreach (var (name, item) in map)
                {
                    writer.WritePropertyName(name);
                    Write(writer, item, plan, row, field);
                }

                writer.WriteEndObject();
                break;
            case IDictionary map:
                writer.WriteStartObject();
                foreach (DictionaryEntry entry in map)
                {
                    writer.WritePropertyName(Convert.ToString(entry.Key, CultureInfo.InvariantCulture)!);
                    Write(writer, entry.Value, plan, row, field);
                }

                writer.WriteEndObject();
                break;
            case IEnumerable list and not (string or byte[]):
                writer.WriteStartArray();
                foreach (var item in list)
                {
                    Write(writer, item, plan, row, field);
                }

                writer.WriteEndArray();
                break;
            default:
                RowJson.Write(writer, ValueOf(value, plan, row, field));
                break;
        }
    }
}
