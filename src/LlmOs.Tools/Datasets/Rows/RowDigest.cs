using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LlmOs.Tools.Datasets.Rows;

/// <summary>
/// SHA-256 of the rows of each split: each row as a line of JSON without its empty values, the columns by name. Equal rows
/// give an equal hash, whatever file they came from and however they are stored.
/// </summary>
internal sealed class RowDigest(RowSchema schema) : IDisposable
{
    private readonly int[] _order = [.. Enumerable.Range(0, schema.Columns.Count).OrderBy(c => schema.Columns[c].Name, StringComparer.Ordinal)];
    private readonly SortedDictionary<string, (IncrementalHash Hash, long Rows)> _splits = new(StringComparer.Ordinal);
    private readonly ArrayBufferWriter<byte> _line = new();

    public void Add(string split, object?[] values)
    {
        _line.ResetWrittenCount();
        using (var writer = RowJson.Writer(_line))
        {
            writer.WriteStartObject();
            foreach (var column in _order)
            {
                if (values[column] is { } value)
                {
                    writer.WritePropertyName(schema.Columns[column].Name);
                    RowJson.Write(writer, value);
                }
            }

            writer.WriteEndObject();
        }

        _line.Write("\n"u8);
        var (hash, rows) = _splits.TryGetValue(split, out var known) ? known : (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), 0);
        hash.AppendData(_line.WrittenSpan);
        _splits[split] = (hash, rows + 1);
    }

    /// <summary>The hash of all splits, by name.</summary>
    public string Finish()
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (split, (hash, rows)) in _splits)
        {
            all.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{split}\n{rows}\n{Convert.ToHexStringLower(hash.GetCurrentHash())}\n")));
        }

        return Convert.ToHexStringLower(all.GetHashAndReset());
    }

    public void Dispose()
    {
        foreach (var (hash, _) in _splits.Values)
        {
            hash.Dispose();
        }
    }
}
