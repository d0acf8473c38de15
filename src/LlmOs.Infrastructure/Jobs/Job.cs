using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>One piece of long work, from its submission to its end. The row is the truth; hosts only borrow it by a lease.</summary>
public sealed class Job : IRowVersion
{
    /// <summary>Order of submission.</summary>
    public long Seq { get; set; }

    /// <summary><c>job_</c> and 24 hex digits; not guessable.</summary>
    public required string Id { get; init; }

    public required string Kind { get; init; }

    public JobState State { get; private set; } = JobState.Queued;

    /// <summary>Higher runs first.</summary>
    public int Priority { get; init; }

    /// <summary>The jobs that must have succeeded before this one begins.</summary>
    public List<JobDependency> After { get; init; } = [];

    /// <summary>Not to be begun before: the pause between two tries. Null: at once.</summary>
    public DateTimeOffset? RunAfter { get; private set; }

    /// <summary>From 0 to 1.</summary>
    public double Progress { get; private set; }

    public string Message { get; private set; } = Waiting;

    /// <summary>Counts the runs; what a run writes is refused once the number has moved on.</summary>
    public int Attempt { get; private set; }

    /// <summary>Runs in a row that ended with their host and got no further than <see cref="Headway"/>; too many fail the job.</summary>
    public int LostAttempts { get; private set; }

    /// <summary>Runs in a row that failed for a passing reason and got no further than <see cref="Headway"/>.</summary>
    public int Failures { get; private set; }

    /// <summary>The furthest <see cref="Progress"/> at which a run broke off: a job that gets on is not given up.</summary>
    public double Headway { get; private set; }

    /// <summary>The host that holds, or last held, the lease.</summary>
    public string? Node { get; private set; }

    /// <summary>Until when the host may be silent.</summary>
    public DateTimeOffset? LeaseUntil { get; private set; }

    public bool CancelRequested { get; private set; }

    public bool PauseRequested { get; private set; }

    /// <summary>JSON, as it was submitted.</summary>
    public required string Spec { get; init; }

    /// <summary>JSON; null until the job has succeeded.</summary>
    public string? Result { get; private set; }

    /// <summary>JSON of a <see cref="JobError"/>; null unless the job failed.</summary>
    public string? Error { get; private set; }

    /// <summary>JSON object of numbers by name.</summary>
    public string Metrics { get; private set; } = "{}";

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; private set; }

    public DateTimeOffset? FinishedAt { get; private set; }

    public double? EtaSeconds { get; private set; }

    public long RowVersion { get; set; }

    internal const string Waiting = "waiting for a host";

    /// <summary>True when nothing more will happen unless somebody asks for a retry.</summary>
    public bool IsOver => State is JobState.Succeeded or JobState.Failed or JobState.Cancelled;

    /// <summary>A job that waits for its first run.</summary>
    public static Job Submit(string kind, string spec, int priority, DateTimeOffset now, params IReadOnlyList<string> after) => new()
    {
        Id = NewId(),
        Kind = kind,
        Spec = spec,
        Priority = priority,
        After = [.. after.Distinct(StringComparer.Ordinal).Select(id => new JobDependency { AfterId = id })],
        Message = after.Count > 0 ? "waiting for other jobs" : Waiting,
        CreatedAt = now,
    };

    public static string NewId() => $"job_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";

    /// <summary>The steps between states that there are.</summary>
    public static bool MayStep(JobState from, JobState to) => (from, to) switch
    {
        (JobState.Queued, JobState.Running or JobState.Paused or JobState.Cancelled) => true,
        (JobState.Running, JobState.Pausing or JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Queued) => true,
        (JobState.Pausing, JobState.Paused or JobState.Succeeded or JobState.Failed or JobState.Cancelled or JobState.Queued) => true,
        (JobState.Paused, JobState.Queued or JobState.Cancelled) => true,
        (JobState.Failed or JobState.Cancelled, JobState.Queued) => true,
        _ => false,
    };

    /// <summary>Asks for an end. A job that no host runs is cancelled at once; a running one when its run has stopped.</summary>
    public void Cancel(DateTimeOffset now)
    {
        if (State is JobState.Cancelled)
        {
            return;
        }

        if (IsOver)
        {
            throw Refuse("cancelled");
        }

        CancelRequested = true;
        Message = "cancelling";
        if (State is JobState.Queued or JobState.Paused)
        {
            Step(JobState.Cancelled);
            Message = "cancelled";
            FinishedAt = now;
            RunAfter = null;
        }
    }

    /// <summary>Asks for a rest. Only a running job needs a kind that can pause.</summary>
    public void Pause(bool kindCanPause)
    {
        switch (State)
        {
            case JobState.Paused or JobState.Pausing:
                return;
            case JobState.Queued:
                Step(JobState.Paused);
                Message = "paused before it started";
                return;
            case JobState.Running when kindCanPause && !CancelRequested:
                Step(JobState.Pausing);
                PauseRequested = true;
                Message = "pausing";
                return;
            case JobState.Running when !kindCanPause:
                throw new LlmOsException(ErrorCode.Conflict, $"A running job of kind '{Kind}' cannot be paused.")
                {
                    Hint = "Cancel it, and retry it later.",
                };
            default:
                throw Refuse("paused");
        }
    }

    /// <summary>Lets a paused job wait for a host again.</summary>
    public void Resume()
    {
        if (State != JobState.Paused)
        {
            throw Refuse("resumed");
        }

        Step(JobState.Queued);
        PauseRequested = false;
        RunAfter = null;
        Message = Waiting;
    }

    /// <summary>Runs a failed or cancelled job once more: the same job, so its result is still published once.</summary>
    public void Retry()
    {
        if (State is not (JobState.Failed or JobState.Cancelled))
        {
            throw Refuse("retried");
        }

        Step(JobState.Queued);
        (CancelRequested, PauseRequested, LostAttempts, Failures, Headway) = (false, false, 0, 0, 0);
        (Progress, Error, FinishedAt, EtaSeconds, Metrics, RunAfter) = (0, null, null, null, "{}", null);
        Message = Waiting;
    }

    public JobView ToView() => new(
        Id,
        Kind,
        State,
        Progress,
        Message,
        Attempt,
        Node,
        Parse(Spec),
        Result is null ? null : Parse(Result),
        Error is null ? null : JsonSerializer.Deserialize<JobError>(Error, LlmOsJson.Options),
        Parse(Metrics),
        CreatedAt,
        StartedAt,
        FinishedAt,
        EtaSeconds,
        Priority,
        [.. After.Select(d => d.AfterId)],
        RunAfter);

    /// <summary>A line of the history that says where the job stands.</summary>
    public JobEvent ToEvent(DateTimeOffset now) => new()
    {
        JobId = Id,
        Attempt = Attempt,
        State = State,
        Progress = Progress,
        Message = Message,
        Metrics = Metrics,
        At = now,
    };

    private void Step(JobState to) =>
        State = MayStep(State, to) ? to : throw new InvalidOperationException($"A job does not go from {State} to {to}.");

    private LlmOsException Refuse(string verb) =>
        new(ErrorCode.Conflict, $"Job {Id} is {State.ToString().ToLowerInvariant()} and cannot be {verb}.");

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

/// <summary>A line of a job's history.</summary>
public sealed class JobEvent
{
    public long Seq { get; set; }

    public required string JobId { get; init; }

    public required int Attempt { get; init; }

    public required JobState State { get; init; }

    public required double Progress { get; init; }

    public required string Message { get; init; }

    /// <summary>JSON object of numbers by name.</summary>
    public required string Metrics { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>A line that a job's run, or the host that ran it, wrote for who looks into it.</summary>
public sealed class JobLogLine
{
    public long Seq { get; set; }

    public required string JobId { get; init; }

    public required int Attempt { get; init; }

    public required JobLogLevel Level { get; init; }

    public required string Text { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>A job waits for another.</summary>
public sealed class JobDependency
{
    public long JobSeq { get; set; }

    /// <summary>The job that must have succeeded.</summary>
    public required string AfterId { get; init; }
}

internal sealed class JobTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<Job>(job =>
        {
            job.ToTable("jobs");
            job.HasKey(j => j.Seq);
            job.HasIndex(j => j.Id).IsUnique();
            job.HasIndex(j => new { j.State, j.Priority, j.Seq }).IsDescending(false, true, false);
            job.Property(j => j.Id).HasMaxLength(40).IsRequired();
            job.Property(j => j.Kind).HasMaxLength(64);
            job.Property(j => j.Node).HasMaxLength(128);
            job.Ignore(j => j.IsOver);
            job.HasMany(j => j.After).WithOne().HasForeignKey(d => d.JobSeq).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<JobDependency>(dependency =>
        {
            dependency.ToTable("job_dependencies");
            dependency.HasKey(d => new { d.JobSeq, d.AfterId });
            dependency.HasIndex(d => d.AfterId);
            dependency.Property(d => d.AfterId).HasMaxLength(40);
        });
        model.Entity<JobEvent>(line =>
        {
            line.ToTable("job_events");
            line.HasKey(e => e.Seq);
            line.HasIndex(e => new { e.JobId, e.Seq });
            line.Property(e => e.JobId).HasMaxLength(40);
        });
        model.Entity<JobLogLine>(line =>
        {
            line.ToTable("job_logs");
            line.HasKey(l => l.Seq);
            line.HasIndex(l => new { l.JobId, l.Seq });
            line.Property(l => l.JobId).HasMaxLength(40);
        });
    }
}

/// <summary>The tables of jobs.</summary>
public static class JobQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<Job> Jobs => db.Set<Job>();

        public DbSet<JobEvent> JobEvents => db.Set<JobEvent>();

        public DbSet<JobLogLine> JobLogs => db.Set<JobLogLine>();
    }
}
