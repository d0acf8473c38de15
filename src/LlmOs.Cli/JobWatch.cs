using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using Spectre.Console;

namespace LlmOs.Cli;

/// <summary>Follows a job to its end: a bar in a terminal, lines elsewhere.</summary>
internal static class JobWatch
{
    /// <summary>Waits, prints what came of the job, and says so in the exit code. Leaving with Ctrl-C leaves the job running.</summary>
    public static async Task<int> FollowAsync(LlmOsClient client, JobView job, bool detach, CancellationToken cancel)
    {
        if (detach)
        {
            Console.Out.WriteLine(job.Id);
            return ExitCode.Done;
        }

        try
        {
            var last = Console.IsOutputRedirected ? await LinesAsync(client, job.Id, cancel) : await BarAsync(client, job.Id, cancel);
            return Conclude(last);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            Console.Error.WriteLine($"The job goes on: 'llmos jobs watch {job.Id}' follows it again, 'llmos jobs cancel {job.Id}' ends it.");
            throw;
        }
    }

    /// <summary>The metrics that a person watches, in one short line; empty when the job has none.</summary>
    internal static string Figures(JobView job)
    {
        var parts = new List<string>();
        void Add(string name, string format, string label)
        {
            if (job.Metrics.ValueKind == JsonValueKind.Object && job.Metrics.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number)
            {
                parts.Add($"{label} {value.GetDouble().ToString(format, CultureInfo.InvariantCulture)}".Trim());
            }
        }

        Add("step", "0", "step");
        Add("loss", "0.000", "loss");
        Add("validation_loss", "0.000", "validation");
        Add("tokens_per_second", "0", "tokens/s");
        if (job.Metrics.ValueKind == JsonValueKind.Object && job.Metrics.TryGetProperty("bytes_per_second", out var rate) && rate.ValueKind == JsonValueKind.Number && rate.GetDouble() is > 0 and var bytes)
        {
            parts.Add($"{Sizes.Bytes((long)bytes)}/s");
        }

        if (job.EtaSeconds is { } eta and > 0)
        {
            parts.Add($"{Sizes.Duration(eta)} left");
        }

        return string.Join(", ", parts);
    }

    /// <summary>What an evaluation found; null for other jobs.</summary>
    internal static string? Measured(JobView job)
    {
        var parts = new List<string>();
        foreach (var (name, label) in new[] { ("perplexity", "perplexity"), ("bits_per_byte", "bits per byte"), ("accuracy", "accuracy"), ("accuracy_normalised", "normalised") })
        {
            if (job.Result is { ValueKind: JsonValueKind.Object } result && result.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number)
            {
                parts.Add($"{label} {value.GetDouble().ToString("0.0000", CultureInfo.InvariantCulture)}");
            }
        }

        if (parts.Count > 0 && job.Result!.Value.TryGetProperty("interval", out var interval) && interval is { ValueKind: JsonValueKind.Array } && interval.GetArrayLength() == 2)
        {
            parts[0] += string.Create(CultureInfo.InvariantCulture, $" (95 % {interval[0].GetDouble():0.0000} to {interval[1].GetDouble():0.0000})");
        }

        return parts.Count == 0 ? null : string.Join(", ", parts);
    }

    private static async Task<JobView> BarAsync(LlmOsClient client, string id, CancellationToken cancel)
    {
        JobView? last = null;
        await AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new SpinnerColumn())
            .StartAsync(async bars =>
            {
                var bar = bars.AddTask(id, maxValue: 1);
                await foreach (var job in client.WatchJobAsync(id, cancel))
                {
                    last = job;
                    bar.Value = job.Progress;
                    bar.Description = Markup.Escape(Figures(job) is { Length: > 0 } figures ? $"{job.Message} ({figures})" : job.Message);
                }
            });
        return last!;
    }

    /// <summary>One line whenever the message changes or another twentieth is done.</summary>
    private static async Task<JobView> LinesAsync(LlmOsClient client, string id, CancellationToken cancel)
    {
        JobView? last = null;
        (string Message, int Twentieths) shown = ("", -1);
        await foreach (var job in client.WatchJobAsync(id, cancel))
        {
            last = job;
            var now = (job.Message, (int)(job.Progress * 20));
            if (now != shown && job.State == JobState.Running)
            {
                shown = now;
                Console.Out.WriteLine($"{job.Progress.ToString("P0", CultureInfo.InvariantCulture)} {job.Message} {Figures(job)}".TrimEnd());
            }
        }

        return last!;
    }

    /// <summary>What the job made, and how to look at it; null where it made nothing.</summary>
    private static string? Made(JobView job)
    {
        if (job.Result is not { ValueKind: JsonValueKind.Object } result)
        {
            return null;
        }

        if (result.TryGetProperty("ref", out var made) && made.GetString() is { } reference)
        {
            return $"{reference} is ready: llmos {(result.TryGetProperty("dataset", out _) ? "data show" : "run")} {reference}";
        }

        return result.TryGetProperty("clean", out var clean) && result.TryGetProperty("overlap", out var overlap)
            ? clean.ValueKind == JsonValueKind.True ? "No row of the test set stands in the training set." : $"{overlap} rows of the test set stand in the training set; --json names them."
            : null;
    }

    private static int Conclude(JobView job)
    {
        switch (job.State)
        {
            case JobState.Succeeded:
                Console.Out.WriteLine(Made(job) ?? Measured(job) ?? $"Job {job.Id} succeeded.");
                return ExitCode.Done;
            case JobState.Paused:
                Console.Out.WriteLine($"Job {job.Id} is paused: 'llmos jobs resume {job.Id}' goes on with it.");
                return ExitCode.Done;
            case JobState.Cancelled:
                return Connection.Fail(ExitCode.Refused, $"job {job.Id} was cancelled.");
            default:
                var lines = new[] { $"job {job.Id} failed: {job.Error?.Message} ({job.Error?.Code})", job.Error?.Detail, job.Error?.Hint };
                return Connection.Fail(ExitCode.Refused, string.Join(Environment.NewLine, lines.Where(l => !string.IsNullOrEmpty(l))));
        }
    }
}
