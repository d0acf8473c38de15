using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>The door to long work: what is submitted here runs on a host that has its kind.</summary>
public sealed class JobQueue(IDbContextFactory<LlmOsDb> databases, TimeProvider clock, JobSignal signal)
{
    /// <summary>Checks a request and stores a job of it; the job is safe against a crash when this returns.</summary>
    public async Task<JobView> SubmitAsync<TRequest>(JobKind<TRequest> kind, TRequest request, CancellationToken cancel)
        where TRequest : class => await SubmitAsync(kind.Word, await kind.CheckAsync(request, cancel), priority: 0, [], cancel);

    /// <summary>Stores a job of a request that was checked.</summary>
    /// <param name="spec">What the run will read, written with the platform's JSON rules.</param>
    /// <param name="priority">Higher runs first.</param>
    /// <param name="after">Ids of the jobs that must have succeeded first.</param>
    internal async Task<JobView> SubmitAsync(string kind, object spec, int priority, IReadOnlyList<string> after, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await CheckAfterAsync(db, after, cancel);
        var job = Job.Submit(kind, JsonSerializer.Serialize(spec, spec.GetType(), LlmOsJson.Options), priority, clock.GetUtcNow(), after);
        db.Add(job);
        db.Add(job.ToEvent(clock.GetUtcNow()));
        await db.SaveChangesAsync(cancel);
        signal.Raise();
        return job.ToView();
    }

    /// <summary>A job by its id; refuses with <see cref="ErrorCode.NotFound"/>.</summary>
    public async Task<JobView> GetAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var job = await db.Jobs.AsNoTracking().Include(j => j.After).SingleOrDefaultAsync(j => j.Id == id, cancel);
        return (job ?? throw LlmOsException.NotFound("job", id, "/api/v1/jobs")).ToView();
    }

    private static async Task CheckAfterAsync(LlmOsDb db, IReadOnlyList<string> after, CancellationToken cancel)
    {
        if (after.Count == 0)
        {
            return;
        }

        var known = await db.Jobs.Where(j => after.Contains(j.Id)).ToDictionaryAsync(j => j.Id, j => j.State, cancel);
        for (var index = 0; index < after.Count; index++)
        {
            var field = $"after[{index}]";
            if (!known.TryGetValue(after[index], out var state))
            {
                throw LlmOsException.Invalid(field, $"{field}: there is no such job.");
            }

            if (state is JobState.Failed or JobState.Cancelled)
            {
                throw new LlmOsException(ErrorCode.Conflict, $"{field}: job {after[index]} {(state is JobState.Failed ? "failed" : "was cancelled")}, so nothing can come after it.")
                {
                    Field = field,
                    Hint = "Retry that job first.",
                };
            }
        }
    }
}
