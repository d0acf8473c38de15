using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Why a run should stop.</summary>
public enum JobStop
{
    None,

    /// <summary>Somebody cancelled the job.</summary>
    Cancel,

    /// <summary>Somebody paused it: leave a checkpoint, then stop.</summary>
    Pause,

    /// <summary>The host is stopping: the job will run again, here or elsewhere.</summary>
    Shutdown,

    /// <summary>The lease went to another host: whatever this run does no longer counts.</summary>
    LeaseLost,
}

/// <summary>What a running job knows and may tell.</summary>
public abstract class JobContext
{
    /// <summary><c>job_...</c></summary>
    public abstract string Id { get; }

    /// <summary>1 for the first run; fences off what an earlier attempt still writes.</summary>
    public abstract int Attempt { get; }

    /// <summary>What was asked for, as it was stored.</summary>
    public abstract JsonElement Spec { get; }

    /// <summary>A folder of this attempt alone, on the data folder's disk; deleted when the attempt ends.</summary>
    public abstract string ScratchFolder { get; }

    /// <summary>
    /// A folder whose content is kept from one attempt to the next; deleted when the job succeeds or is cancelled. Its path is
    /// another in each attempt, so what lies in it may not name it.
    /// </summary>
    public virtual string CheckpointFolder => Path.Combine(ScratchFolder, "checkpoint");

    /// <summary>Why the run's token fired.</summary>
    public virtual JobStop StopReason => JobStop.None;

    /// <summary>The spec as its record.</summary>
    public T SpecAs<T>() =>
        Spec.Deserialize<T>(LlmOsJson.Options) ?? throw new InvalidOperationException($"The spec of job {Id} is null.");

    /// <summary>Reports where the job stands; cheap, written to the database at most a few times a second.</summary>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="message">What it does now, for the person who watches.</param>
    /// <param name="metrics">Numbers by name, merged into the job's <c>metrics</c>; null leaves them.</param>
    /// <param name="etaSeconds">Seconds to go; null when nobody knows.</param>
    public abstract void Report(double progress, JobMessage message, IReadOnlyDictionary<string, double>? metrics = null, double? etaSeconds = null);

    /// <summary>Adds a line to the job's log, for who looks into it afterwards. Never prompts, replies or keys.</summary>
    public virtual void Log(JobLogLevel level, JobMessage message)
    {
    }

    /// <summary>Takes a file for the store. It appears there with the job's result or not at all, whatever becomes of this attempt.</summary>
    public virtual Task<Blob> StageAsync(Stream content, CancellationToken cancel) =>
        throw new NotSupportedException("Files can be staged in a run of the job loop only.");
}
