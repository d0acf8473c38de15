using System.Runtime.CompilerServices;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>JSON Lines: an object on each line; empty lines are no rows.</summary>
internal static class JsonLineRows
{
    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = SourceFormat.OpenText(path, plan);
        long row = 0;
        await foreach (var line in LineReader.ReadAsync(stream, plan, () => row + 1, cancel))
        {
            if (line.Span.IndexOfAnyExcept(" \t"u8) < 0)
            {
                continue;
            }

            row++;
            CellText.RequireUtf8(line.Span, plan, row, null);
            yield return new SourceRow(row, JsonRow.Read(line, plan, row));
        }
    }
}
