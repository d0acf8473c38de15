using System.Globalization;
using System.Runtime.CompilerServices;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Http.Streams;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>Following a job: until it ends, or line by line.</summary>
internal sealed class JobWatch(IDbContextFactory<LlmOsDb> databases, JobSignal signal, JobSpecs specs, HostDrain drain, TimeProvider clock)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private const int LinesAtOnce = 200;

    /// <summary>The job when it ends, or as it stands after <paramref name="max"/> or when the host stops.</summary>
    public async Task<JobView> UntilOverAsync(string id, TimeSpan max, CancellationToken cancel)
    {
        var began = clock.GetTimestamp();
        while (true)
        {
            var changed = signal.Next;
            var state = await StateAsync(id, cancel);
            var left = max - clock.GetElapsedTime(began);
            if (Job.IsEnd(state) || left <= TimeSpan.Zero || drain.IsDraining)
            {
                return await specs.ViewAsync(await FindAsync(id, cancel), cancel);
            }

            await JobSignal.WaitAsync(changed, left < LookInterval ? left : LookInterval, clock, cancel);
        }
    }

    /// <summary>The lines after <paramref name="after"/> and those that follow, until the job is over.</summary>
    public async IAsyncEnumerable<StreamEvent> FollowAsync(string id, long after, [EnumeratorCancellation] CancellationToken cancel)
    {
        while (true)
        {
            var changed = signal.Next;

            // The job first: a job that is over writes no further line, so the lines read next are all there are.
            var over = Job.IsEnd(await StateAsync(id, cancel));
            var lines = await LinesAsync(id, after, LinesAtOnce, cancel);
            foreach (var line in lines)
            {
                after = line.Id;
                yield return new StreamEvent(line, line.State.ToWord(), line.Id.ToString(CultureInfo.InvariantCulture));
            }

            if (lines.Count == LinesAtOnce)
            {
                continue;
            }

            if (over || drain.IsDraining)
            {
                yield break;
            }

            await JobSignal.WaitAsync(changed, LookInterval, clock, cancel);
        }
    }

    /// <summary>What to follow after, so that the newest line is the first.</summary>
    public async Task<long> BeforeNewestAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return (await db.JobEvents.Where(e => e.JobId == id).MaxAsync(e => (long?)e.Seq, cancel) ?? 1) - 1;
    }

    public async Task<IReadOnlyList<JobEventView>> LinesAsync(string id, long after, int limit, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var lines = await db.JobEvents.AsNoTracking()
            .Where(e => e.JobId == id && e.Seq > after)
            .OrderBy(e => e.Seq)
            .Take(limit)
            .ToListAsync(cancel);
        return [.. lines.Select(e => new JobEventView(e.Seq, e.State, e.Progress, e.Message, e.Attempt, JobJson.Parse(e.Metrics), e.At, e.Code, JobJson.ParseOrNull(e.Arguments), e.EtaSeconds))];
    }

    public async Task<IReadOnlyList<JobLogView>> LogAsync(string id, long after, int limit, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var lines = await db.JobLogs.AsNoTracking()
            .Where(l => l.JobId == id && l.Seq > after)
            .OrderBy(l => l.Seq)
            .Take(limit)
            .ToListAsync(cancel);
        return [.. lines.Select(l => new JobLogView(l.Seq, l.Level, l.Text, l.Attempt, l.At, l.Code, JobJson.ParseOrNull(l.Arguments)))];
    }

    /// <summary>Where the job stands, and nothing else of it; refuses with <see cref="ErrorCode.NotFound"/>.</summary>
    public async Task<JobState> StateAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Jobs.Where(j => j.Id == id).Select(j => (JobState?)j.State).SingleOrDefaultAsync(cancel) ?? throw LlmOsException.NotFound("job", id);
    }

    public async Task<Job> FindAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Jobs.AsNoTracking().Include(j => j.After).SingleOrDefaultAsync(j => j.Id == id, cancel) ?? throw LlmOsException.NotFound("job", id, "/api/v1/jobs");
    }
}
