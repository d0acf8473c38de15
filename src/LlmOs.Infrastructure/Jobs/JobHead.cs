using System.Linq.Expressions;
using System.Text.Json;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>A job without its specification and its result, which may be large: what lists read.</summary>
internal sealed record JobHead
{
    /// <summary>The columns that a list reads.</summary>
    public static readonly Expression<Func<Job, JobHead>> Columns = job => new JobHead
    {
        Id = job.Id,
        Kind = job.Kind,
        Subject = job.Subject,
        State = job.State,
        Progress = job.Progress,
        Message = job.Message,
        Code = job.Code,
        Arguments = job.Arguments,
        Attempt = job.Attempt,
        Node = job.Node,
        Error = job.Error,
        Metrics = job.Metrics,
        CreatedAt = job.CreatedAt,
        StartedAt = job.StartedAt,
        FinishedAt = job.FinishedAt,
        EtaSeconds = job.EtaSeconds,
        Priority = job.Priority,
        After = job.After.Select(d => d.AfterId).ToList(),
        RunAfter = job.RunAfter,
    };

    /// <summary>The same of a job that was read whole.</summary>
    public static readonly Func<Job, JobHead> Of = Columns.Compile();

    public required string Id { get; init; }

    public required string Kind { get; init; }

    public required string? Subject { get; init; }

    public required JobState State { get; init; }

    public required double Progress { get; init; }

    public required string Message { get; init; }

    public required string? Code { get; init; }

    public required string? Arguments { get; init; }

    public required int Attempt { get; init; }

    public required string? Node { get; init; }

    public required string? Error { get; init; }

    public required string Metrics { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? StartedAt { get; init; }

    public required DateTimeOffset? FinishedAt { get; init; }

    public required double? EtaSeconds { get; init; }

    public required int Priority { get; init; }

    public required List<string> After { get; init; }

    public required DateTimeOffset? RunAfter { get; init; }

    public JobView ToView() => ToView(JobJson.Null, null);

    public JobView ToView(JsonElement spec, JsonElement? result) => new(
        Id,
        Kind,
        State,
        Progress,
        Message,
        Attempt,
        Node,
        SecretLinks.Hide(spec),
        result is { } made ? SecretLinks.Hide(made) : null,
        Error is null ? null : JsonSerializer.Deserialize<JobError>(Error, LlmOsJson.Options),
        JobJson.Parse(Metrics),
        CreatedAt,
        StartedAt,
        FinishedAt,
        EtaSeconds,
        Priority,
        After,
        RunAfter,
        Code,
        JobJson.ParseOrNull(Arguments),
        Subject);
}
