using System.Globalization;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>A line for the job's log.</summary>
internal sealed record JobLogEntry(JobLogLevel Level, JobLine Line, DateTimeOffset At);

/// <summary>What a run has told since it was last stored.</summary>
/// <param name="Standing">Null when only the log grew.</param>
internal sealed record JobNews(JobStanding? Standing, IReadOnlyList<JobLogEntry> Lines)
{
    /// <summary>The job's row is to show it, its history is not: that of a job of days would be endless.</summary>
    public bool IsPassing { get; init; }
}

/// <summary>One run of a job on this host: what its kind sees, and what the loop stores of it.</summary>
internal sealed class JobAttempt : JobContext, IDisposable
{
    private const int MaxMessageCharacters = 500;
    private const int MaxLineCharacters = 4_000;
    private const int MaxLines = 20_000;

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, double> _metrics;
    private readonly ArtifactStore _store;
    private readonly TimeProvider _clock;
    private readonly List<StagedBlob> _staged = [];
    private List<JobLogEntry> _lines = [];
    private int _lineCount;
    private JobStanding _standing;
    private bool _dirty;
    private JobStop _reason;

    public JobAttempt(Job job, JsonElement spec, DataFolder folder, ArtifactStore store, TimeProvider clock)
    {
        (Job, Spec) = (job, spec);
        (_store, _clock) = (store, clock);
        _metrics = JsonSerializer.Deserialize<Dictionary<string, double>>(job.Metrics) ?? [];
        _standing = new JobStanding(job.Progress, ((JobMessage)JobCodes.Started).ToLine(MaxMessageCharacters), job.Metrics, null);
        ScratchFolder = Directory.CreateDirectory(Path.Combine(folder.Scratch, $"{job.Id}-{job.Attempt}")).FullName;
        CheckpointFolder = TakeOver(Path.Combine(folder.Jobs, job.Id), job.Attempt);
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

    /// <summary>Asks the run to stop. The first reason stays, but a lost lease and a cancellation outrank the others.</summary>
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

    public override void Report(double progress, JobMessage message, IReadOnlyDictionary<string, double>? metrics = null, double? etaSeconds = null)
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
                message.ToLine(MaxMessageCharacters),
                JsonSerializer.Serialize(_metrics),
                eta);
            _dirty = true;
        }
    }

    public override void Log(JobLogLevel level, JobMessage message)
    {
        lock (_gate)
        {
            _lineCount++;
            if (_lineCount <= MaxLines)
            {
                _lines.Add(LineOf(level, message, _clock.GetUtcNow()));
            }
            else if (_lineCount == MaxLines + 1)
            {
                _lines.Add(LineOf(JobLogLevel.Warning, JobCodes.LogFull.With(("lines", MaxLines)), _clock.GetUtcNow()));
            }
        }
    }

    /// <summary>A line of the log, cut to what is kept of one.</summary>
    public static JobLogEntry LineOf(JobLogLevel level, JobMessage message, DateTimeOffset at) => new(level, message.ToLine(MaxLineCharacters), at);

    public override async Task<Blob> StageAsync(Stream content, CancellationToken cancel)
    {
        var staged = await ArtifactStore.StageAsync(content, ScratchFolder, cancel);
        lock (_gate)
        {
            _staged.Add(staged);
        }

        return staged.Blob;
    }

    /// <summary>Shows the staged files in the store. Called within the transaction that has found this attempt to be the job's own.</summary>
    public async Task PlaceStagedAsync(CancellationToken cancel)
    {
        List<StagedBlob> all;
        lock (_gate)
        {
            all = [.. _staged];
        }

        foreach (var staged in all)
        {
            await _store.PlaceAsync(staged, cancel);
        }
    }

    /// <summary>What was told since the last call; null when nothing was.</summary>
    public JobNews? TakeNews()
    {
        lock (_gate)
        {
            var news = _dirty || _lines.Count > 0 ? new JobNews(_dirty ? _standing : null, _lines) : null;
            (_dirty, _lines) = (false, news is null ? _lines : []);
            return news;
        }
    }

    /// <summary>Takes back what could not be stored: it is told again, before what came since.</summary>
    public void PutBack(JobNews? news)
    {
        lock (_gate)
        {
            if (news is not null)
            {
                _lines = [.. news.Lines, .. _lines];
                _dirty |= news.Standing is not null;
            }
        }
    }

    /// <summary>Deletes what lies in the attempt's own folder.</summary>
    public void DeleteScratch()
    {
        if (Directory.Exists(ScratchFolder))
        {
            Directory.Delete(ScratchFolder, recursive: true);
        }
    }

    /// <summary>Deletes the job's checkpoints. Only while the job is this attempt's, or when it has succeeded: else a later one may have them.</summary>
    public void DeleteCheckpoints() =>
        // Whole: an earlier attempt that was cut off may have made its own folder again.
        Directory.Delete(Path.GetDirectoryName(CheckpointFolder)!, recursive: true);

    public void Dispose() => _stop.Dispose();

    /// <summary>
    /// Gives the attempt a checkpoint folder of its own that holds what the one before left. The folder is moved, not copied:
    /// an earlier attempt that wakes up on another host finds its path gone and can spoil nothing.
    /// </summary>
    private static string TakeOver(string jobFolder, int attempt)
    {
        var mine = Path.Combine(jobFolder, attempt.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(jobFolder);
        var earlier = Directory.GetDirectories(jobFolder)
            .Select(path => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : int.MaxValue)
            .Where(number => number < attempt)
            .Order()
            .ToList();
        if (earlier.Count > 0)
        {
            Directory.Move(Path.Combine(jobFolder, earlier[^1].ToString(CultureInfo.InvariantCulture)), mine);
        }

        return Directory.CreateDirectory(mine).FullName;
    }
}
