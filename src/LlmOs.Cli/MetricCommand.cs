using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary><c>llmos metric NAME -p FILE -r FILE</c>: scores the lines of a file against those of others; without a name lists the metrics.</summary>
internal static class MetricCommand
{
    public static Command Create(Interrupts interrupts)
    {
        var name = new Argument<string?>("NAME") { Description = "The metric; without it they are listed", Arity = ArgumentArity.ZeroOrOne };
        var predictions = new Option<string?>("--predictions", "-p") { Description = "File with a prediction a line" };
        var references = new Option<string[]>("--references", "-r") { Description = "File with a reference a line; more than once for more than one reference", AllowMultipleArgumentsPerToken = true };
        var options = new Option<string[]>("--option", "-o") { Description = "An option as NAME=VALUE, such as tokenize=intl" };
        var rows = new Option<bool>("--rows") { Description = "Print the score of each row too" };
        var command = new Command("metric", "Score texts against references") { name, predictions, references, options, rows };
        command.SetAction((parsed, _) => Connection.RunAsync(interrupts, async (client, cancel) =>
        {
            if (parsed.GetValue(name) is not { } metric)
            {
                List(await client.ListMetricsAsync(cancel));
                return ExitCode.Done;
            }

            var request = await ReadAsync(parsed.GetValue(predictions), parsed.GetValue(references) ?? [], parsed.GetValue(options) ?? [], cancel);
            var reply = await client.ScoreAsync(metric, request, cancel);
            if (parsed.GetValue(rows))
            {
                foreach (var score in reply.Scores)
                {
                    Console.Out.WriteLine(Text(score));
                }
            }

            Console.Out.WriteLine($"{reply.Metric} {Text(reply.Score)}{(reply.Signature is null ? "" : $"  {reply.Signature}")}");
            return ExitCode.Done;
        }));
        return command;
    }

    private static async Task<MetricRequest> ReadAsync(string? predictions, string[] references, string[] options, CancellationToken cancel)
    {
        if (predictions is null || references.Length == 0)
        {
            throw new UsageException("Give the texts: llmos metric bleu --predictions out.txt --references ref.txt");
        }

        var texts = await LinesAsync(predictions, cancel);
        List<string[]> columns = [];
        foreach (var file in references)
        {
            var lines = await LinesAsync(file, cancel);
            columns.Add(lines.Length == texts.Length ? lines : throw new UsageException($"'{file}' has {lines.Length} lines, '{predictions}' has {texts.Length}. Each line belongs to a row."));
        }

        return new MetricRequest
        {
            Predictions = texts,
            References = [.. texts.Select((_, row) => columns.Select(column => column[row]).ToArray())],
            Options = options.Select(ReadOption).ToDictionary(pair => pair.Name, pair => pair.Value),
        };
    }

    /// <summary>A value that is JSON counts as that, any other as a text.</summary>
    private static (string Name, JsonElement Value) ReadOption(string text)
    {
        var at = text.IndexOf('=', StringComparison.Ordinal);
        if (at < 1)
        {
            throw new UsageException($"'{text}' is no option. Write NAME=VALUE, such as lowercase=true.");
        }

        var value = text[(at + 1)..];
        try
        {
            return (text[..at], JsonSerializer.Deserialize<JsonElement>(value));
        }
        catch (JsonException)
        {
            return (text[..at], JsonSerializer.SerializeToElement(value));
        }
    }

    private static async Task<string[]> LinesAsync(string file, CancellationToken cancel)
    {
        try
        {
            return await File.ReadAllLinesAsync(file, cancel);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"'{file}' cannot be read: {e.Message}");
        }
    }

    private static void List(Page<MetricView> metrics)
    {
        var table = Tables.New("NAME", "SCALE", "BETTER", "OPTIONS");
        foreach (var metric in metrics.Items)
        {
            table.AddRow(
                metric.Name,
                metric.Scale.ToString(CultureInfo.InvariantCulture),
                metric.HigherIsBetter ? "higher" : "lower",
                Markup.Escape(string.Join(' ', metric.Options.Select(option => $"{option.Name}={option.Default}"))));
        }

        Tables.Write(table, "This server has no metrics.");
    }

    private static string Text(double? score) => score?.ToString("0.######", CultureInfo.InvariantCulture) ?? "-";
}
