using System.Text.Json;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>One run of a job on this host: what its runner sees, and what the loop stores of it.</summary>
internal sealed class JobAttempt : JobContext, IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, double> _metrics;
    private JobStanding _standing;
    private bool _dirty;
    private JobStop _reason;

    public JobAttempt(Job job, DataFolder folder)
    {
        Job = job;
        using var spec = JsonDocument.Parse(job.Spec);
        Spec = spec.RootElement.Clone();
        _metrics = JsonSerializer.Deserialize<Dictionary<string, double>>(job.Metrics) ?? [];
        _standing = new JobStanding(job.Progress, "started", job.Metrics, null);
        ScratchFolder = Directory.CreateDirectory(Path.Combine(folder.Scratch, $"{job.Id}-{job.Attempt}")).FullName;
        CheckpointFolder = Directory.CreateDirectory(Path.Combine(folder.Jobs, job.Id)).FullName;
    }

    public Job Job { get; }

    public override string Id => Job.Id;

    public override int Attempt => Job.Attempt;

    public override JsonElement Spec { get; }

    public override string ScratchFolder { get; }

    public override string CheckpointFolder { get; }

    /// <summary>Fires when the run should stop.</summary>
    public CancellationToken Token => _stop.Token;

    public override JobStop StopReason
    {
        get
        {
            lock (_gate)
            {
                return _reason;
            }
        }
    }

    /// <summary>The latest report.</summary>
    public JobStanding Standing
    {
        get
        {
            lock (_gate)
            {
                return _standing;
            }
        }
    }

    /// <summary>Asks the runner to stop. The first reason stays, but a lost lease and a cancellation outrank the others.</summary>
    public void AskToStop(JobStop reason)
    {
        lock (_gate)
        {
            if (_reason is JobStop.None || reason is JobStop.LeaseLost || (reason is JobStop.Cancel && _reason is not JobStop.LeaseLost))
            {
                _reason = reason;
            }
        }

        _stop.Cancel();
    }

    public override void Report(double progress, string message, IReadOnlyDictionary<string, double>? metrics = null, double? etaSeconds = null)
    {
        lock (_gate)
        {
            foreach (var (name, value) in metrics ?? new Dictionary<string, double>())
            {
                if (double.IsFinite(value))
                {
                    _metrics[name] = value; // JSON has no word for the others.
                }
            }

            var eta = etaSeconds is { } seconds && double.IsFinite(seconds) ? Math.Max(0, seconds) : (double?)null;
            _standing = new JobStanding(
                double.IsNaN(progress) ? _standing.Progress : Math.Clamp(progress, 0, 1),
                message.Length > 500 ? message[..500] : message,
                JsonSerializer.Serialize(_metrics),
                eta);
            _dirty = true;
        }
    }

    /// <summary>What was reported since the last call; null when nothing was.</summary>
    public JobStanding? TakeNews()
    {
        lock (_gate)
        {
            var news = _dirty ? _standing : null;
            _dirty = false;
            return news;
        }
    }

    /// <summary>Deletes the attempt's folder, and the checkpoints when no later attempt may want them.</summary>
    public void CleanUp(bool keepCheckpoints)
    {
        Directory.Delete(ScratchFolder, recursive: true);
        if (!keepCheckpoints || Directory.GetFileSystemEntries(CheckpointFolder).Length == 0)
        {
            Directory.Delete(CheckpointFolder, recursive: true);
        }
    }

    public void Dispose() => _stop.Dispose();
}
