using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Where a run stands, as its runner last said.</summary>
internal sealed record JobStanding(double Progress, string Message, string Metrics, double? EtaSeconds);

/// <summary>What somebody asked of a running job.</summary>
internal sealed record JobRequests(bool Cancel, bool Pause);

/// <summary>
/// Borrowing jobs. A lease is named by node and attempt: every write compares both, so a host that was thought dead
/// and comes back changes nothing (the attempt number is the fencing token).
/// </summary>
internal sealed class JobLeases(IDbContextFactory<LlmOsDb> databases, NodeIdentity node, TimeProvider clock, JobSignal signal)
{
    /// <summary>How long a host may be silent before its jobs go to others.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(20);

    /// <summary>Runs that may end with their host before the job is taken to be the cause.</summary>
    public const int MostLostAttempts = 3;

    /// <summary>Takes the next job of these kinds that waits or whose host is silent; null when there is none.</summary>
    public async Task<Job?> ClaimAsync(IReadOnlyList<string> kinds, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = clock.GetUtcNow();
        object[] values = [node.Id, db.StoredTime(now + Length), db.StoredTime(now), .. kinds];
        var names = string.Join(", ", kinds.Select((_, index) => $"{{{index + 3}}}"));

        // One statement: the row is chosen and taken in the same step, so no two hosts get it.
        // Only placeholders are pasted in; the values travel as parameters.
        var sql = $$"""
            update jobs
            set lost_attempts = lost_attempts + (case when state = 'Queued' then 0 else 1 end),
                state = 'Running', node = {0}, lease_until = {1}, attempt = attempt + 1,
                started_at = coalesce(started_at, {2}), row_version = row_version + 1
            where seq = (
                select seq from jobs
                where kind in ({{names}}) and (state = 'Queued' or (state in ('Running', 'Pausing') and lease_until < {2}))
                order by priority desc, seq limit 1 {{(db.IsPostgres ? "for update skip locked" : "")}})
            returning *
            """;
        var claimed = await db.Jobs.FromSqlRaw(sql, values).AsNoTracking().ToListAsync(cancel);
        if (claimed is not [var job])
        {
            return null;
        }

        db.Add(Line(job, JobState.Running, new JobStanding(job.Progress, $"attempt {job.Attempt} on {node.Id}", job.Metrics, null)));
        await db.SaveChangesAsync(cancel);
        signal.Raise();
        return job;
    }

    /// <summary>Renews the lease and stores where the run stands; null when the lease is gone.</summary>
    /// <param name="standing">Null: nothing new to store.</param>
    public async Task<JobRequests?> RenewAsync(Job job, JobStanding? standing, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var until = clock.GetUtcNow() + Length;
        var held = Held(db, job);
        var rows = standing is null
            ? await held.ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, until), cancel)
            : await held.ExecuteUpdateAsync(
                set => set
                    .SetProperty(j => j.LeaseUntil, until)
                    .SetProperty(j => j.Progress, standing.Progress)
                    .SetProperty(j => j.Message, standing.Message)
                    .SetProperty(j => j.Metrics, standing.Metrics)
                    .SetProperty(j => j.EtaSeconds, standing.EtaSeconds),
                cancel);
        if (rows == 0)
        {
            return null;
        }

        var now = await db.Jobs.Where(j => j.Seq == job.Seq).Select(j => new { j.State, j.CancelRequested, j.PauseRequested }).SingleAsync(cancel);
        if (standing is not null)
        {
            db.Add(Line(job, now.State, standing));
            await db.SaveChangesAsync(cancel);
            signal.Raise();
        }

        return new JobRequests(now.CancelRequested, now.PauseRequested);
    }

    /// <summary>What was asked of the job meanwhile; null when the lease is gone.</summary>
    public async Task<JobRequests?> RequestsAsync(Job job, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await Held(db, job).Select(j => new JobRequests(j.CancelRequested, j.PauseRequested)).SingleOrDefaultAsync(cancel);
    }

    /// <summary>Publishes a result and ends the job, all or nothing; false when the lease is gone and nothing was written.</summary>
    public async Task<bool> PublishAsync(Job job, JobStanding standing, JobPublish publish, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);

        // First, because it locks the row: whoever claims the job meanwhile waits, and then finds it ended.
        if (await EndAsync(db, job, JobState.Succeeded, standing with { Progress = 1, EtaSeconds = 0 }, error: null, cancel) == 0)
        {
            return false;
        }

        var result = JsonSerializer.Serialize(await publish(db, cancel), LlmOsJson.Options);
        await db.SaveChangesAsync(cancel);
        await db.Jobs.Where(j => j.Seq == job.Seq).ExecuteUpdateAsync(set => set.SetProperty(j => j.Result, result), cancel);
        await transaction.CommitAsync(cancel);
        signal.Raise();
        return true;
    }

    /// <summary>Ends the job without a result; false when the lease is gone.</summary>
    public Task<bool> FailAsync(Job job, JobStanding standing, JobError error, CancellationToken cancel) =>
        LeaveAsync(job, JobState.Failed, standing with { Message = error.Message, EtaSeconds = null }, error, cancel);

    public Task<bool> CancelAsync(Job job, JobStanding standing, CancellationToken cancel) =>
        LeaveAsync(job, JobState.Cancelled, standing with { Message = "cancelled", EtaSeconds = null }, error: null, cancel);

    public Task<bool> PauseAsync(Job job, JobStanding standing, CancellationToken cancel) =>
        LeaveAsync(job, JobState.Paused, standing with { Message = "paused", EtaSeconds = null }, error: null, cancel);

    /// <summary>Gives the job back, to be run again by whoever asks next.</summary>
    public Task<bool> ReleaseAsync(Job job, JobStanding standing, CancellationToken cancel) =>
        LeaveAsync(job, JobState.Queued, standing with { Message = "waiting for a host: the last one stopped", EtaSeconds = null }, error: null, cancel);

    /// <summary>Lets jobs of hosts that cannot be alive be claimed at once. Only where one server owns the database.</summary>
    public async Task ExpireAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var past = clock.GetUtcNow() - TimeSpan.FromSeconds(1);
        await db.Jobs
            .Where(j => (j.State == JobState.Running || j.State == JobState.Pausing) && j.Node != node.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, past), cancel);
    }

    private async Task<bool> LeaveAsync(Job job, JobState state, JobStanding standing, JobError? error, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var left = await EndAsync(db, job, state, standing, error, cancel) == 1;
        await transaction.CommitAsync(cancel);
        signal.Raise();
        return left;
    }

    private async Task<int> EndAsync(LlmOsDb db, Job job, JobState state, JobStanding standing, JobError? error, CancellationToken cancel)
    {
        var errorJson = error is null ? null : JsonSerializer.Serialize(error, LlmOsJson.Options);
        DateTimeOffset? finishedAt = state is JobState.Queued or JobState.Paused ? null : clock.GetUtcNow();
        var rows = await Held(db, job).ExecuteUpdateAsync(
            set => set
                .SetProperty(j => j.State, state)
                .SetProperty(j => j.Progress, standing.Progress)
                .SetProperty(j => j.Message, standing.Message)
                .SetProperty(j => j.Metrics, standing.Metrics)
                .SetProperty(j => j.EtaSeconds, standing.EtaSeconds)
                .SetProperty(j => j.Error, errorJson)
                .SetProperty(j => j.FinishedAt, finishedAt)
                .SetProperty(j => j.LeaseUntil, (DateTimeOffset?)null)
                .SetProperty(j => j.RowVersion, j => j.RowVersion + 1),
            cancel);
        if (rows == 1)
        {
            db.Add(Line(job, state, standing));
            await db.SaveChangesAsync(cancel);
        }

        return rows;
    }

    private IQueryable<Job> Held(LlmOsDb db, Job job) => db.Jobs.Where(j =>
        j.Seq == job.Seq && j.Node == node.Id && j.Attempt == job.Attempt && (j.State == JobState.Running || j.State == JobState.Pausing));

    private JobEvent Line(Job job, JobState state, JobStanding standing) => new()
    {
        JobId = job.Id,
        Attempt = job.Attempt,
        State = state,
        Progress = standing.Progress,
        Message = standing.Message,
        Metrics = standing.Metrics,
        At = clock.GetUtcNow(),
    };
}
