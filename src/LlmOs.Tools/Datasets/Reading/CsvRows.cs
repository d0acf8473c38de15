using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>CSV as RFC 4180 has it, with any delimiter; every cell is text. Empty lines are no rows.</summary>
internal static class CsvRows
{
    private const int BufferBytes = 1 << 16;

    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = SourceFormat.OpenText(path, plan);
        var buffer = new byte[BufferBytes];
        var end = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancel);
        var begin = LineReader.MarkOf(buffer.AsSpan(0, end), plan);
        var parser = new CsvParser(plan.Delimiter ?? (plan.Format == SourceFormat.Tsv ? (byte)'\t' : CsvParser.Detect(buffer.AsSpan(begin, end - begin))), plan);
        string[]? header = null;
        while (end > 0)
        {
            while (begin < end)
            {
                begin += parser.Take(buffer.AsSpan(begin, end - begin));
                if (parser.IsWhole)
                {
                    if (ToRow(parser, plan, ref header) is { } row)
                    {
                        yield return row;
                    }

                    parser.Next();
                }
            }

            (begin, end) = (0, await stream.ReadAsync(buffer, cancel));
        }

        if (parser.Finish() && ToRow(parser, plan, ref header) is { } last)
        {
            yield return last;
        }
    }

    private static SourceRow? ToRow(CsvParser parser, ReadPlan plan, ref string[]? header)
    {
        if (parser.IsEmptyLine)
        {
            return null;
        }

        if (header is null)
        {
            header = plan.HasHeader ? Header(parser, plan) : [.. Enumerable.Range(1, parser.Count).Select(n => $"column{n}")];
            if (plan.HasHeader)
            {
                parser.Rows = 0;
                return null;
            }
        }

        var number = parser.Rows;
        if (parser.Count != header.Length)
        {
            throw RowFault.Of(plan.Place, number, $"has {parser.Count} cells, where there are {header.Length} columns. A cell that holds the delimiter or a line break stands in quotes.");
        }

        var fields = new KeyValuePair<string, object?>[header.Length];
        for (var cell = 0; cell < header.Length; cell++)
        {
            fields[cell] = new(header[cell], CellText.Read(parser.Cell(cell), plan, number, header[cell]));
        }

        return new SourceRow(number, fields);
    }

    private static string[] Header(CsvParser parser, ReadPlan plan)
    {
        var names = new string[parser.Count];
        for (var cell = 0; cell < names.Length; cell++)
        {
            var name = CellText.Read(parser.Cell(cell), plan, 1, "the header").Trim();
            names[cell] = name.Length > 0 ? name : $"column{cell + 1}";
        }

        return names.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new LlmOsException(ErrorCode.CorruptFile, $"The header names the column '{Shown.Of(twice.Key)}' {twice.Count()} times.") { Field = "source", Hint = "Give each column a name of its own, or \"header\": false." }
            : names;
    }
}

/// <summary>Takes bytes and gives cells; what is between two records is in one place, however the bytes arrive.</summary>
internal sealed class CsvParser(byte delimiter, ReadPlan plan)
{
    private const byte Quote = (byte)'"';

    private enum At
    {
        CellBegin,
        Plain,
        Quoted,
        QuoteInQuoted,
        AfterReturn,
    }

    private readonly List<int> _ends = [];
    private byte[] _bytes = new byte[1 << 12];
    private int _length;
    private int _raw;
    private bool _hadQuote;
    private At _at;

    /// <summary>Records begun so far.</summary>
    public long Rows { get; set; } = 1;

    /// <summary>A record is complete: read it, then call <see cref="Next"/>.</summary>
    public bool IsWhole { get; private set; }

    public int Count => _ends.Count;

    public bool IsEmptyLine => _ends.Count == 1 && _ends[0] == 0 && !_hadQuote;

    public ReadOnlySpan<byte> Cell(int cell) => _bytes.AsSpan((cell == 0 ? 0 : _ends[cell - 1])..(_ends[cell]));

    /// <summary>The delimiter that the first line has most of, outside of quotes.</summary>
    public static byte Detect(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> candidates = ",;\t|"u8;
        Span<int> counts = stackalloc int[candidates.Length];
        var isQuoted = false;
        foreach (var b in start)
        {
            if (b == Quote)
            {
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && b is (byte)'\n' or (byte)'\r')
            {
                break;
            }
            else if (!isQuoted && candidates.IndexOf(b) is >= 0 and var candidate)
            {
                counts[candidate]++;
            }
        }

        var best = 0;
        for (var i = 1; i < counts.Length; i++)
        {
            best = counts[i] > counts[best] ? i : best;
        }

        return candidates[best];
    }

    /// <summary>Begins the next record.</summary>
    public void Next()
    {
        var wasEmpty = IsEmptyLine;
        (IsWhole, _length, _raw, _hadQuote) = (false, 0, 0, false);
        _ends.Clear();
        Rows += wasEmpty ? 0 : 1;
    }

    /// <summary>Takes bytes up to the end of a record.</summary>
    /// <returns>How many were taken.</returns>
    public int Take(ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            var b = bytes[i];
            if (++_raw > RowLimits.MaxRowBytes)
            {
                throw RowFault.Of(plan.Place, Rows, $"is longer than {RowLimits.MaxRowBytes} bytes, the most that a row may have. Does a quote stand in it that is not closed?", ErrorCode.TooLarge);
            }

            switch (_at)
            {
                case At.AfterReturn:
                    _at = At.CellBegin;
                    IsWhole = true;
                    return i + (b == '\n' ? 1 : 0);
                case At.Quoted when b == Quote:
                    _at = At.QuoteInQuoted;
                    break;
                case At.Quoted:
                    Add(b);
                    break;
                case At.QuoteInQuoted when b == Quote:
                    Add(b);
                    _at = At.Quoted;
                    break;
                case At.CellBegin when b == Quote:
                    _at = At.Quoted;
                    _hadQuote = true;
                    break;
                default:
                    if (b == delimiter)
                    {
                        EndCell();
                    }
                    else if (b == '\n')
                    {
                        EndCell();
                        IsWhole = true;
                        return i + 1;
                    }
                    else if (b == '\r')
                    {
                        EndCell();
                        _at = At.AfterReturn;
                    }
                    else
                    {
                        Add(b);
                        _at = At.Plain; // also what stands behind a closing quote
                    }

                    break;
            }
        }

        return bytes.Length;
    }

    /// <summary>The end of the file.</summary>
    /// <returns>Whether there is a last record, which no line break ended.</returns>
    public bool Finish()
    {
        if (_at == At.Quoted)
        {
            throw RowFault.Of(plan.Place, Rows, "has a quote that is not closed before the file ends.");
        }

        if (_at != At.AfterReturn)
        {
            if (_raw == 0)
            {
                return false;
            }

            EndCell();
        }

        IsWhole = true;
        return true;
    }

    private void EndCell()
    {
        if (_ends.Count == RowLimits.MaxColumns)
        {
            throw RowFault.Of(plan.Place, Rows, $"has more than {RowLimits.MaxColumns} cells, the most columns of a data set.", ErrorCode.TooLarge);
        }

        _ends.Add(_length);
        _at = At.CellBegin;
    }

    private void Add(byte b)
    {
        if (_length == _bytes.Length)
        {
            Array.Resize(ref _bytes, _bytes.Length * 2);
        }

        _bytes[_length++] = b;
    }
}
