using System.Collections.Concurrent;
using System.Diagnostics;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;

namespace LlmOs.Infrastructure.Tests.Jobs;

/// <summary>A process with nothing but the job loop (tests/LlmOs.JobHost), to be killed and stopped.</summary>
internal sealed class JobHostProcess : IDisposable
{
    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();

    public JobHostProcess(DataFolder folder, LlmOsSettings settings, TimeSpan lease, int turns)
    {
        var info = new ProcessStartInfo("dotnet", [BuiltProgram.Find("LlmOs.JobHost")]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var name in info.Environment.Keys.Where(n => n.StartsWith("LLMOS_", StringComparison.Ordinal)).ToList())
        {
            info.Environment.Remove(name);
        }

        info.Environment["LLMOS_DATA"] = folder.Root;
        info.Environment["LLMOS_DATABASE"] = settings.Database ?? "";
        info.Environment["Jobs__LeaseSeconds"] = FormattableString.Invariant($"{lease.TotalSeconds}");
        info.Environment["Jobs__GeneralTurns"] = FormattableString.Invariant($"{turns}");

        // A job that is unlucky several times in a row is the storm's doing, not its own.
        info.Environment["Jobs__MaxAttempts"] = "50";

        // A host lives for seconds here: what it would gain by profiling itself, it would not live to use.
        info.Environment["DOTNET_TieredPGO"] = "0";
        _process = Process.Start(info)!;
        _process.OutputDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.ErrorDataReceived += (_, line) => _output.Enqueue(line.Data ?? "");
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public bool IsAlive => !_process.HasExited;

    public string Output => string.Join('\n', _output);

    /// <summary>The node's name, once the host has said it.</summary>
    public string? Node => _output.FirstOrDefault(line => line.StartsWith("node ", StringComparison.Ordinal))?["node ".Length..];

    /// <summary>How often this host was told that a job is no longer its own.</summary>
    public int Refusals => _output.Count(line => line.Contains("is no longer this host's", StringComparison.Ordinal));

    public void Stop() => Signals.Send(_process.Id, Signals.Stop);

    public void Continue() => Signals.Send(_process.Id, Signals.Continue);

    public async Task KillAsync()
    {
        Signals.Send(_process.Id, Signals.Kill);
        await _process.WaitForExitAsync();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, Signals.Kill);
        }

        _process.Dispose();
    }
}
