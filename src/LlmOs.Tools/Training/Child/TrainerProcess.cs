using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure;

namespace LlmOs.Tools.Training.Child;

/// <summary>How a trainer process ended.</summary>
/// <param name="ExitCode">As <see cref="TrainerExit"/>; 128 and the signal's number where a signal ended it.</param>
/// <param name="Last">Its completed or failed event; null when it could not say anything any more.</param>
/// <param name="ErrorTail">The end of its standard error, without paths.</param>
/// <param name="IsSilent">It was ended here because it said nothing any more.</param>
internal sealed record TrainerEnd(int ExitCode, TrainerEvent? Last, string ErrorTail, bool IsSilent = false);

/// <summary>
/// Runs one trainer process: events come from its standard output, a cancellation asks it on standard input and ends it if it
/// does not follow. One that says nothing for too long is ended. When this process dies, the trainer's input closes and it
/// leaves a checkpoint and ends too.
/// </summary>
/// <param name="silence">How long it may say nothing; it has a heartbeat of five seconds. Default: a minute.</param>
internal sealed partial class TrainerProcess(string path, TimeProvider clock, TimeSpan? silence = null)
{
    private const int TailLines = 30;
    private static readonly string[] Prefixes = ["LLMOS_", "LlmOs__", "HF_", "HUGGING_FACE_", "AWS_", "ConnectionStrings__", "ASPNETCORE_"];

    /// <summary>How much longer the first word may take: a machine that is busy loads the runtime slowly.</summary>
    private const int StartFactor = 5;

    private static readonly TimeSpan CancelGrace = TimeSpan.FromSeconds(10);
    private readonly TimeSpan _silence = silence ?? TimeSpan.FromMinutes(1);

    /// <summary>
    /// glibc gives freed memory back and maps large blocks anew each time; the page faults cost a fifth to a third of a training.
    /// </summary>
    private const string Malloc =
        "glibc.malloc.hugetlb=1:glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=34359738368:glibc.malloc.top_pad=268435456";

    /// <param name="jobFile">A <see cref="TrainerJob"/>.</param>
    /// <param name="threads">Null: one per core.</param>
    /// <param name="report">Told each event, in order, on no particular thread.</param>
    /// <param name="pause">Asked when the token fires: how long a checkpoint may take to be left; null: none is wanted.</param>
    /// <exception cref="OperationCanceledException">The trainer was asked to stop, and is gone.</exception>
    public async Task<TrainerEnd> RunAsync(string jobFile, int? threads, Action<TrainerEvent> report, Func<TimeSpan?> pause, CancellationToken cancel)
    {
        using var process = new Process { StartInfo = StartInfo(jobFile, threads) };
        process.Start();
        var errors = new Queue<string>();
        var reading = ReadErrorsAsync(process.StandardError, errors);
        try
        {
            var last = await ReadEventsAsync(process.StandardOutput, report, cancel);
            await process.WaitForExitAsync(cancel);
            await reading;
            cancel.ThrowIfCancellationRequested();
            return new TrainerEnd(process.ExitCode, last, Tail(errors));
        }
        catch (OperationCanceledException)
        {
            await StopAsync(process, pause());
            throw;
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None); // a killed process ends
            await reading;
            return new TrainerEnd(process.ExitCode, null, Tail(errors), IsSilent: true);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private ProcessStartInfo StartInfo(string jobFile, int? threads)
    {
        var start = new ProcessStartInfo(path, [jobFile, "--attached"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(Path.GetFullPath(path))!,
        };

        // Keys, tokens and connection strings are none of its business.
        foreach (var name in start.Environment.Keys.Where(IsOurs).ToList())
        {
            start.Environment.Remove(name);
        }

        SetEnvironment(start.Environment, threads ?? Environment.ProcessorCount);

        // The runtime that runs this process runs the trainer, wherever it is installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        return start;
    }

    private static bool IsOurs(string variable) => variable != FaultPoints.Variable
        && Prefixes.Any(prefix => variable.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));

    /// <summary>What must be said before a process that trains starts: libtorch and malloc read it once.</summary>
    public static void SetEnvironment(IDictionary<string, string?> environment, int threads)
    {
        environment["OMP_NUM_THREADS"] = threads.ToString(System.Globalization.CultureInfo.InvariantCulture);

        // Threads that spin at a barrier starve each other as soon as anything else runs: a tenth of the speed was seen.
        environment["OMP_WAIT_POLICY"] = "PASSIVE";
        if (OperatingSystem.IsLinux() && !RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
        {
            environment["GLIBC_TUNABLES"] = Malloc;
        }
    }

    private async Task<TrainerEvent?> ReadEventsAsync(StreamReader output, Action<TrainerEvent> report, CancellationToken cancel)
    {
        TrainerEvent? last = null;
        var patience = _silence * StartFactor;
        while (await output.ReadLineAsync(cancel).AsTask().WaitAsync(patience, clock, cancel) is { } line)
        {
            patience = _silence;
            if (Parse(line) is not { } happened)
            {
                continue;
            }

            if (happened is TrainerCompleted or TrainerFailed)
            {
                last = happened;
            }

            if (happened is not TrainerHeartbeat)
            {
                report(happened);
            }
        }

        return last;
    }

    /// <summary>A process that was killed may leave half a line behind.</summary>
    private static TrainerEvent? Parse(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<TrainerEvent>(line, LlmOsJson.Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task ReadErrorsAsync(StreamReader error, Queue<string> lines)
    {
        while (await error.ReadLineAsync(CancellationToken.None) is { } line)
        {
            lines.Enqueue(line);
            if (lines.Count > TailLines)
            {
                lines.Dequeue();
            }
        }
    }

    private async Task StopAsync(Process process, TimeSpan? pause)
    {
        try
        {
            await process.StandardInput.WriteLineAsync(pause is null ? "cancel" : "pause");
            await process.StandardInput.FlushAsync();
        }
        catch (IOException)
        {
            // It is gone already.
        }

        using var patience = new CancellationTokenSource(pause ?? CancelGrace, clock);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None); // a killed process ends
        }
    }

    private static string Tail(Queue<string> lines) => AbsolutePath().Replace(string.Join('\n', lines), "$1");

    /// <summary>A path of this machine; its last part is kept.</summary>
    [GeneratedRegex(@"(?:/[\w.+@~-]+)+/([\w.+@~-]+)")]
    private static partial Regex AbsolutePath();
}
