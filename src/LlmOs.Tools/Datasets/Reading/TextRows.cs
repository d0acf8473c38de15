using System.Runtime.CompilerServices;

namespace LlmOs.Tools.Datasets.Reading;

/// <summary>Plain text: a row <c>{text}</c> for each line that is not empty.</summary>
internal static class TextRows
{
    public const string Column = "text";

    public static async IAsyncEnumerable<SourceRow> ReadAsync(string path, ReadPlan plan, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var stream = SourceFormat.OpenText(path, plan);
        long row = 0;
        await foreach (var line in LineReader.ReadAsync(stream, plan, () => row + 1, cancel))
        {
            if (line.Length > 0)
            {
                row++;
                yield return new SourceRow(row, [new(Column, CellText.Read(line.Span, plan, row, null))]);
            }
        }
    }
}
