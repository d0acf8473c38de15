using System.ComponentModel.DataAnnotations;
using System.Text.Json;

namespace LlmOs.Contracts;

/// <summary>Where a job stands. Every kind of job uses the same states.</summary>
public enum JobState
{
    Queued,
    Running,
    Pausing,
    Paused,
    Succeeded,
    Failed,
    Cancelled,
}

/// <summary>Asks for a job of any kind. Most kinds have a route of their own, which takes the specification alone.</summary>
public sealed record JobRequest
{
    /// <summary>The word of a kind.</summary>
    [StringLength(64, MinimumLength = 1)]
    public required string Kind { get; init; }

    /// <summary>What the kind's own route takes as its body.</summary>
    public required JsonElement Spec { get; init; }

    /// <summary>Ids of jobs that must have succeeded before this one begins.</summary>
    [MaxLength(32)]
    public IReadOnlyList<string>? After { get; init; }

    /// <summary>Higher runs first; default 0.</summary>
    [Range(-100, 100)]
    public int? Priority { get; init; }
}

/// <summary>Why a job failed.</summary>
/// <param name="Code">An <see cref="ErrorCode"/> in snake case.</param>
/// <param name="Message">What was wrong.</param>
/// <param name="Detail">What was found, such as the tail of a process' output; null when the message says it all.</param>
/// <param name="Hint">What to do next.</param>
public sealed record JobError(string Code, string Message, string? Detail, string? Hint);

/// <summary>A job as the API shows it.</summary>
/// <param name="Message">The English line of the code and its arguments.</param>
/// <param name="Spec">What was asked for; null in lists, since it may be large.</param>
/// <param name="Result">What came of it; null until it has succeeded, and in lists.</param>
/// <param name="After">The jobs that must have succeeded before it begins.</param>
/// <param name="RunAfter">When it is tried again after a failure that may pass; null when it does not wait for a time.</param>
/// <param name="Code">What it says, as a word such as <c>waiting_for_host</c>, for who puts it into other words; null where an older version wrote the message.</param>
/// <param name="Arguments">What the code is said of: texts and numbers by name; null where there is nothing.</param>
/// <param name="Subject">What the job is about, such as the name of what it makes; null where its kind names nothing.</param>
public sealed record JobView(
    string Id,
    string Kind,
    JobState State,
    double Progress,
    string Message,
    int Attempt,
    string? Node,
    JsonElement Spec,
    JsonElement? Result,
    JobError? Error,
    JsonElement Metrics,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt,
    double? EtaSeconds,
    int Priority,
    IReadOnlyList<string> After,
    DateTimeOffset? RunAfter,
    string? Code = null,
    JsonElement? Arguments = null,
    string? Subject = null)
{
    /// <summary>The job as a later line of its history has it.</summary>
    public JobView At(JobEventView line) => this with
    {
        State = line.State,
        Progress = line.Progress,
        Message = line.Message,
        Code = line.Code,
        Arguments = line.Arguments,
        Attempt = line.Attempt,
        Metrics = line.Metrics,
        EtaSeconds = line.EtaSeconds,
    };
}

/// <summary>How much a line of a job's log matters.</summary>
public enum JobLogLevel
{
    Info,
    Warning,
    Error,
}

/// <summary>The answer to a request that starts long work: 202 and where to watch it.</summary>
public sealed record JobAccepted(JobView Job);

/// <summary>The result of a job that made a model version.</summary>
public sealed record ModelJobResult(string Model, int Version, string Ref);

/// <summary>A line of a job's history: where it stood then.</summary>
/// <param name="Id">Grows with each line; what to send as <c>after</c>, or as <c>Last-Event-ID</c>.</param>
/// <param name="Code">As of a <see cref="JobView"/>.</param>
/// <param name="Arguments">As of a <see cref="JobView"/>.</param>
public sealed record JobEventView(
    long Id,
    JobState State,
    double Progress,
    string Message,
    int Attempt,
    JsonElement Metrics,
    DateTimeOffset At,
    string? Code = null,
    JsonElement? Arguments = null,
    double? EtaSeconds = null);

/// <summary>A line of a job's log.</summary>
/// <param name="Id">Grows with each line; what to send as <c>after</c>.</param>
/// <param name="Code">As of a <see cref="JobView"/>.</param>
/// <param name="Arguments">As of a <see cref="JobView"/>.</param>
public sealed record JobLogView(long Id, JobLogLevel Level, string Text, int Attempt, DateTimeOffset At, string? Code = null, JsonElement? Arguments = null);

/// <summary>A machine that takes part.</summary>
/// <param name="State"><c>ready</c>, <c>draining</c>, or <c>lost</c> when it has not been heard of.</param>
public sealed record NodeView(
    string Id,
    string State,
    IReadOnlyList<string> Roles,
    int Processors,
    long MemoryBytes,
    DateTimeOffset StartedAt,
    DateTimeOffset SeenAt);
