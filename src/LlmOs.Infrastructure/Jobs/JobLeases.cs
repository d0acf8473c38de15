using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Compute;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Where a run stands, as it last said.</summary>
internal sealed record JobStanding(double Progress, JobLine Line, string Metrics, double? EtaSeconds);

/// <summary>What somebody asked of a running job.</summary>
internal sealed record JobRequests(bool Cancel, bool Pause);

/// <summary>
/// Borrowing jobs. A lease is named by node and attempt: every write compares both, so a host that was thought dead
/// and comes back changes nothing (the attempt number is the fencing token).
/// </summary>
internal sealed class JobLeases(
    IDbContextFactory<LlmOsDb> databases, NodeIdentity node, SharedClock shared, TimeProvider clock, JobSignal signal, IOptions<JobOptions> options)
{
    /// <summary>Of a message; that of a failure may be long.</summary>
    private const int MaxCharacters = 4_000;

    /// <summary>Takes the next job of these kinds that may begin, or whose host is silent; null when there is none.</summary>
    public async Task<Job?> ClaimAsync(IReadOnlyList<string> kinds, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = await shared.NowAsync(db, cancel);
        object[] values = [node.Id, db.StoredTime(now + options.Value.Lease), db.StoredTime(now), .. kinds];
        var skipLocked = db.IsPostgres ? "for update of j skip locked" : "";
        var names = string.Join(", ", kinds.Select((_, index) => $"{{{index + 3}}}"));

        var lostNode = db.IsPostgres ? "json_build_object('node', node)::text" : "json_object('node', node)";

        // One statement: the row is chosen and taken in the same step, so no two hosts get it. Two choices, so that each is
        // the first row of an index: what a silent host left, then what waits.
        // A run that its host did not survive counts, but only if it got no further than an earlier one.
        // Only placeholders are pasted in; the values travel as parameters.
        var sql = $$"""
            update jobs
            set lost_attempts = case when state = 'Queued' then lost_attempts when progress > headway then 1 else lost_attempts + 1 end,
                headway = case when state <> 'Queued' and progress > headway then progress else headway end,
                message = case when state = 'Queued' then 'started' else 'started again: ' || node || ' fell silent' end,
                code = case when state = 'Queued' then 'started' else 'host_silent' end,
                arguments = case when state = 'Queued' then null else {{lostNode}} end,
                state = 'Running', node = {0}, lease_until = {1}, attempt = attempt + 1, run_after = null,
                started_at = coalesce(started_at, {2}), row_version = row_version + 1
            where seq = coalesce(
                (select j.seq from jobs j
                where j.state in ('Running', 'Pausing') and j.lease_until < {2} and j.kind in ({{names}})
                order by j.priority desc, j.seq limit 1 {{skipLocked}}),
                (select j.seq from jobs j
                where j.state = 'Queued' and (j.run_after is null or j.run_after <= {2}) and j.kind in ({{names}})
                    and not exists (
                        select 1 from job_dependencies d join jobs b on b.id = d.after_id
                        where d.job_seq = j.seq and b.state <> 'Succeeded')
                order by j.priority desc, j.seq limit 1 {{skipLocked}}))
            returning *
            """;

        // Claim and history together: a host that is stopped in between has claimed nothing.
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var claimed = await db.Jobs.FromSqlRaw(sql, values).AsNoTracking().ToListAsync(cancel);
        if (claimed is not [var job])
        {
            return null;
        }

        var line = job.Code == JobCodes.HostSilent.Word
            ? JobCodes.AttemptAgain.With(("attempt", job.Attempt), ("node", node.Id), ("lost", job.Named("node")))
            : JobCodes.AttemptStarted.With(("attempt", job.Attempt), ("node", node.Id));
        db.Add(Line(job, JobState.Running, new JobStanding(job.Progress, line.ToLine(MaxCharacters), job.Metrics, null)));
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(CancellationToken.None); // must complete: else nobody would know whether it is claimed
        signal.Raise();
        return job;
    }

    /// <summary>Renews the lease and stores what the run told; null when the lease is gone, and then nothing is stored.</summary>
    /// <param name="news">Null: nothing new to store.</param>
    public async Task<JobRequests?> RenewAsync(Job job, JobNews? news, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.RelaxAsync(cancel);
        var until = await shared.NowAsync(db, cancel) + options.Value.Lease;
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);

        // First, because it locks the row: lines are only added while the job is this attempt's.
        var held = Held(db, job);
        var rows = news?.Standing is not { } standing
            ? await held.ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, until), cancel)
            : await held.ExecuteUpdateAsync(
                set => set
                    .SetProperty(j => j.LeaseUntil, until)
                    .SetProperty(j => j.Progress, standing.Progress)
                    .SetProperty(j => j.Message, standing.Line.Text)
                    .SetProperty(j => j.Code, standing.Line.Code)
                    .SetProperty(j => j.Arguments, standing.Line.Arguments)
                    .SetProperty(j => j.Metrics, standing.Metrics)
                    .SetProperty(j => j.EtaSeconds, standing.EtaSeconds),
                cancel);
        if (rows == 0)
        {
            return null;
        }

        var now = await db.Jobs.Where(j => j.Seq == job.Seq).Select(j => new { j.State, j.CancelRequested, j.PauseRequested }).SingleAsync(cancel);
        if (news is { Standing: not null, IsPassing: false })
        {
            db.Add(Line(job, now.State, news.Standing));
        }

        AddLog(db, job, news?.Lines ?? []);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        if (news is not null)
        {
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
    public async Task<bool> PublishAsync(Job job, JobNews last, JobPublish publish, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);

        // First, because it locks the row: whoever claims the job meanwhile waits, and then finds it ended.
        var ending = new Ending(JobState.Succeeded, StandingOf(job, last) with { Progress = 1, Line = Say(JobCodes.Done), EtaSeconds = 0 }, last.Lines);
        if (await EndAsync(db, job, ending, cancel) == 0)
        {
            return false;
        }

        var result = JsonSerializer.Serialize(await publish(db, cancel), LlmOsJson.Options);
        await db.SaveChangesAsync(cancel);
        await db.Jobs.Where(j => j.Seq == job.Seq).ExecuteUpdateAsync(set => set.SetProperty(j => j.Result, result), cancel);
        FaultPoints.Reach("publish.written");
        await transaction.CommitAsync(cancel);
        FaultPoints.Reach("publish.committed");
        signal.Raise();
        return true;
    }

    /// <summary>Ends the job without a result; false when the lease is gone.</summary>
    public Task<bool> FailAsync(Job job, JobNews last, JobError error, CancellationToken cancel) =>
        LeaveAsync(job, new Ending(JobState.Failed, StandingOf(job, last) with { Line = Say(JobCodes.Failed.With(("error", error.Message))) }, last.Lines) { Error = error }, cancel);

    public Task<bool> CancelAsync(Job job, JobNews last, CancellationToken cancel) =>
        LeaveAsync(job, new Ending(JobState.Cancelled, StandingOf(job, last) with { Line = Say(JobCodes.Cancelled) }, last.Lines), cancel);

    public Task<bool> PauseAsync(Job job, JobNews last, CancellationToken cancel) =>
        LeaveAsync(job, new Ending(JobState.Paused, StandingOf(job, last) with { Line = Say(JobCodes.Paused) }, last.Lines), cancel);

    /// <summary>Gives the job back, to be run again by whoever asks next.</summary>
    public Task<bool> ReleaseAsync(Job job, JobNews last, CancellationToken cancel) =>
        LeaveAsync(job, new Ending(JobState.Queued, StandingOf(job, last) with { Line = Say(JobCodes.HostStopped) }, last.Lines), cancel);

    /// <summary>Gives the job back after a failure that may pass, to be run again after a pause.</summary>
    public Task<bool> PostponeAsync(Job job, JobNews last, JobBackoff backoff, JobError error, CancellationToken cancel)
    {
        var line = Say(JobCodes.TryingAgain.With(("error", error.Message)));
        return LeaveAsync(job, new Ending(JobState.Queued, StandingOf(job, last) with { Line = line }, last.Lines) { Backoff = backoff }, cancel);
    }

    /// <summary>Lets jobs of hosts that cannot be alive be claimed at once. Only where one server owns the database.</summary>
    public async Task ExpireAllAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var past = await shared.NowAsync(db, cancel) - TimeSpan.FromSeconds(1);
        await db.Jobs
            .Where(j => (j.State == JobState.Running || j.State == JobState.Pausing) && j.Node != node.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(j => j.LeaseUntil, past), cancel);
    }

    private static JobStanding StandingOf(Job job, JobNews last) =>
        (last.Standing ?? new JobStanding(job.Progress, job.Line, job.Metrics, null)) with { EtaSeconds = null };

    private async Task<bool> LeaveAsync(Job job, Ending ending, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var left = await EndAsync(db, job, ending, cancel) == 1;
        await transaction.CommitAsync(cancel);
        signal.Raise();
        return left;
    }

    private async Task<int> EndAsync(LlmOsDb db, Job job, Ending ending, CancellationToken cancel)
    {
        var (standing, now) = (ending.Standing, clock.GetUtcNow());
        var errorJson = ending.Error is null ? null : JsonSerializer.Serialize(ending.Error, LlmOsJson.Options);
        DateTimeOffset? finishedAt = ending.State is JobState.Queued or JobState.Paused ? null : now;
        var runAfter = ending.Backoff?.Pause is { } pause ? await shared.NowAsync(db, cancel) + pause : (DateTimeOffset?)null;
        var (failures, headway) = (ending.Backoff?.Failures ?? job.Failures, ending.Backoff?.Headway ?? job.Headway);
        var rows = await Held(db, job).ExecuteUpdateAsync(
            set => set
                .SetProperty(j => j.State, ending.State)
                .SetProperty(j => j.Progress, standing.Progress)
                .SetProperty(j => j.Message, standing.Line.Text)
                .SetProperty(j => j.Code, standing.Line.Code)
                .SetProperty(j => j.Arguments, standing.Line.Arguments)
                .SetProperty(j => j.Metrics, standing.Metrics)
                .SetProperty(j => j.EtaSeconds, standing.EtaSeconds)
                .SetProperty(j => j.Error, errorJson)
                .SetProperty(j => j.FinishedAt, finishedAt)
                .SetProperty(j => j.RunAfter, runAfter)
                .SetProperty(j => j.Failures, failures)
                .SetProperty(j => j.Headway, headway)
                .SetProperty(j => j.LeaseUntil, (DateTimeOffset?)null)
                .SetProperty(j => j.RowVersion, j => j.RowVersion + 1),
            cancel);
        if (rows == 1)
        {
            db.Add(Line(job, ending.State, standing));
            AddLog(db, job, ending.Lines);
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
        Message = standing.Line.Text,
        Code = standing.Line.Code,
        Arguments = standing.Line.Arguments,
        EtaSeconds = standing.EtaSeconds,
        Metrics = standing.Metrics,
        At = clock.GetUtcNow(),
    };

    private static void AddLog(LlmOsDb db, Job job, IReadOnlyList<JobLogEntry> lines) =>
        db.AddRange(lines.Select(line => new JobLogLine
        {
            JobId = job.Id,
            Attempt = job.Attempt,
            Level = line.Level,
            Text = line.Line.Text,
            Code = line.Line.Code,
            Arguments = line.Line.Arguments,
            At = line.At,
        }));

    private static JobLine Say(JobMessage message) => message.ToLine(MaxCharacters);

    /// <summary>How an attempt leaves its job.</summary>
    private sealed record Ending(JobState State, JobStanding Standing, IReadOnlyList<JobLogEntry> Lines)
    {
        public JobError? Error { get; init; }

        /// <summary>Set when the job is to be tried again after a pause.</summary>
        public JobBackoff? Backoff { get; init; }
    }
}
