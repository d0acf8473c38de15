using System.Runtime.CompilerServices;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Tools.Datasets.Rows;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>
/// CoNLL's columns: a line for each token, its tag last, and an empty line behind each sentence. A sentence is a row
/// <c>{tokens, ner_tags}</c>. Columns between the two are left away, and so are the lines <c>-DOCSTART-</c>.
/// </summary>
internal static class ConllRows
{
    private const string DocumentStart = "-DOCSTART-";

    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = SourceFormat.OpenText(path, plan);
        List<string> tokens = [];
        List<string> tags = [];
        var (row, bytes) = (1L, 0L);
        await foreach (var line in LineReader.ReadAsync(stream, plan, () => row, cancel))
        {
            var text = CellText.Read(line.Span, plan, row, null);
            if (!string.IsNullOrWhiteSpace(text))
            {
                bytes += line.Length;
                Add(text, tokens, tags, plan, row);
                if (bytes > RowLimits.MaxRowBytes)
                {
                    throw RowFault.Of(plan.Place, row, $"is a sentence of more than {RowLimits.MaxRowBytes} bytes; an empty line ends a sentence.", ErrorCode.TooLarge);
                }
            }
            else if (tokens.Count > 0)
            {
                yield return Sentence(row++, tokens, tags);
                tokens.Clear();
                tags.Clear();
                bytes = 0;
            }
        }

        if (tokens.Count > 0)
        {
            yield return Sentence(row, tokens, tags);
        }
    }

    private static void Add(string line, List<string> tokens, List<string> tags, ReadPlan plan, long row)
    {
        var cells = line.Split(line.Contains('\t', StringComparison.Ordinal) ? ['\t'] : (char[]?)null, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (cells.Length > 0 && cells[0] == DocumentStart)
        {
            return;
        }

        if (cells.Length < 2)
        {
            throw RowFault.Of(plan.Place, row, $"'{Shown.Of(line)}' is one column; expected a token and behind it, in the last column, its tag.");
        }

        tokens.Add(cells[0]);
        tags.Add(cells[^1]);
    }

    private static SourceRow Sentence(long row, List<string> tokens, List<string> tags) =>
        new(row, [new("tokens", RowJson.Raw(JsonSerializer.SerializeToElement(tokens))), new("ner_tags", RowJson.Raw(JsonSerializer.SerializeToElement(tags)))]);
}
