using System.Globalization;
using System.Text;
using LlmOs.Trainer.Files;

namespace LlmOs.Trainer.Run;

/// <summary>One line of a training's history.</summary>
internal readonly record struct StepRecord(long Step, double? Loss, double LearningRate, double? GradientNorm);

/// <summary>
/// The history as a table on the disk, <c>step,train_loss,learning_rate,gradient_norm</c>: a row per step. It is flushed before
/// each checkpoint, so whoever goes on from one finds its rows, and cuts off those of steps that are taken again.
/// </summary>
internal sealed class StepLog : IDisposable
{
    private const string Head = "step,train_loss,learning_rate,gradient_norm";

    private readonly FileStream _file;
    private readonly StreamWriter _writer;
    private readonly List<StepRecord> _steps = [];

    private StepLog(FileStream file)
    {
        _file = file;
        _writer = new StreamWriter(file, new UTF8Encoding(false), 1 << 16, leaveOpen: true) { NewLine = "\n" };
    }

    /// <summary>Every step so far.</summary>
    public IReadOnlyList<StepRecord> Steps => _steps;

    /// <param name="path">Made if it is not there.</param>
    /// <param name="upTo">The last step whose row is kept.</param>
    /// <exception cref="InvalidDataException">The rows do not reach that step.</exception>
    public static StepLog Open(string path, long upTo)
    {
        var kept = File.Exists(path) && upTo > 0 ? File.ReadLines(path).Skip(1).Select(Parse).TakeWhile(row => row is not null && row.Value.Step <= upTo).Select(row => row!.Value).ToList() : [];
        if (kept.Count != upTo || (upTo > 0 && kept[^1].Step != upTo))
        {
            throw new InvalidDataException($"The history ends at step {(kept.Count == 0 ? 0 : kept[^1].Step)}, before the checkpoint of step {upTo}.");
        }

        // The old table stays whole until the new one is on the disk: whoever is killed here goes on from the same checkpoint.
        DurableFolder.ReplaceText(path, string.Concat(kept.Select(row => $"{Line(row)}\n").Prepend($"{Head}\n")));
        var log = new StepLog(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read));
        log._steps.AddRange(kept);
        return log;
    }

    public void Add(StepRecord row)
    {
        _steps.Add(row);
        _writer.WriteLine(Line(row));
    }

    /// <summary>Puts what was added on the disk.</summary>
    public void Flush()
    {
        _writer.Flush();
        _file.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        _writer.Dispose();
        _file.Dispose();
    }

    private static string Line(StepRecord row) => string.Create(CultureInfo.InvariantCulture, $"{row.Step},{row.Loss:R},{row.LearningRate:R},{row.GradientNorm:R}");

    private static StepRecord? Parse(string line)
    {
        var fields = line.Split(',');
        return fields.Length == 4 && long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out var step) && Number(fields[2]) is { } rate
            ? new StepRecord(step, Number(fields[1]), rate, Number(fields[3]))
            : null;
    }

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
}
