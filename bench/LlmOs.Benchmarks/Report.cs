using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LlmOs.Benchmarks;

/// <summary>Interleaved rounds of two contenders: medians, ranges and the ratio round by round.</summary>
internal sealed class Report(string name, string title, string ours, string peer, string unit, bool moreIsBetter)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };
    private readonly List<Row> _rows = [];

    /// <param name="Case">What was measured.</param>
    /// <param name="Ours">One figure a round.</param>
    /// <param name="Peer">One figure a round, taken beside ours.</param>
    private sealed record Row(string Case, double[] Ours, double[] Peer)
    {
        public double[] Ratios => [.. Ours.Zip(Peer, (ours, peer) => ours / peer)];
    }

    public void Add(string @case, IEnumerable<double> ours, IEnumerable<double> peer)
    {
        _rows.Add(new Row(@case, [.. ours], [.. peer]));
        Console.WriteLine(Line(_rows[^1]));
    }

    /// <summary>Writes <c>bench/results/NAME-DATE.md</c> and <c>.json</c>.</summary>
    public async Task SaveAsync(CancellationToken cancel)
    {
        var date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var folder = Directory.CreateDirectory(Path.Combine(Machine.Repository, "bench", "results")).FullName;
        var stem = Path.Combine(folder, $"{name}-{date}");
        var text = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"# {title}").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"{date}, {Machine.Describe()}. Rounds interleaved; median (smallest to largest). Ratio = {ours} / {peer}, round by round; {(moreIsBetter ? "more" : "less")} is better.").AppendLine()
            .AppendLine(CultureInfo.InvariantCulture, $"| case | {ours}, {unit} | {peer}, {unit} | ratio |").AppendLine("|---|---|---|---|");
        foreach (var row in _rows)
        {
            text.AppendLine(Line(row));
        }

        await File.WriteAllTextAsync(stem + ".md", text.ToString(), cancel);
        var document = new { name, date, machine = Machine.Describe(), ours, peer, unit, rows = _rows };
        await File.WriteAllTextAsync(stem + ".json", JsonSerializer.Serialize(document, Json) + "\n", cancel);
    }

    /// <summary>The value that this share of the values does not exceed.</summary>
    public static double Percentile(double[] values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)Math.Ceiling((sorted.Length - 1) * share)];
    }

    private static string Line(Row row) => $"| {row.Case} | {Span(row.Ours, "F1")} | {Span(row.Peer, "F1")} | {Span(row.Ratios, "F3")} |";

    private static string Span(double[] values, string format) =>
        $"{Text(Median(values), format)} ({Text(values.Min(), format)} to {Text(values.Max(), format)})";

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
