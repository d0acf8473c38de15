using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>The door to long work: what is submitted here runs on a host that has its kind.</summary>
public sealed class JobQueue(IDbContextFactory<LlmOsDb> databases, TimeProvider clock, JobSignal signal, JobSpecs specs)
{
    /// <summary>Checks a request and stores a job of it; the job is safe against a crash when this returns.</summary>
    public async Task<JobView> SubmitAsync<TRequest>(JobKind<TRequest> kind, TRequest request, CancellationToken cancel)
        where TRequest : class => await SubmitAsync(kind, await kind.CheckAsync(request, cancel), priority: 0, [], cancel);

    /// <summary>Stores a job of a request that was checked.</summary>
    /// <param name="spec">What the run will read, written with the platform's JSON rules.</param>
    /// <param name="priority">Higher runs first.</param>
    /// <param name="after">Ids of the jobs that must have succeeded first.</param>
    internal Task<JobView> SubmitAsync(JobKind kind, object spec, int priority, IReadOnlyList<string> after, CancellationToken cancel) =>
        SubmitAsync(kind.Word, kind.SubjectOf(spec), spec, priority, after, cancel);

    internal async Task<JobView> SubmitAsync(string kind, string? subject, object spec, int priority, IReadOnlyList<string> after, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await CheckAfterAsync(db, after, cancel);
        var job = Job.Submit(kind, subject, await specs.StoreAsync(spec, cancel), priority, clock.GetUtcNow(), after);
        db.Add(job);
        db.Add(job.ToEvent(clock.GetUtcNow()));
        await db.SaveChangesAsync(cancel);
        signal.Raise();
        return job.ToView(JsonSerializer.SerializeToElement(spec, spec.GetType(), LlmOsJson.Options));
    }

    /// <summary>A job by its id; refuses with <see cref="ErrorCode.NotFound"/>.</summary>
    public async Task<JobView> GetAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var job = await db.Jobs.AsNoTracking().Include(j => j.After).SingleOrDefaultAsync(j => j.Id == id, cancel);
        return await specs.ViewAsync(job ?? throw LlmOsException.NotFound("job", id, "/api/v1/jobs"), cancel);
    }

    /// <summary>Changes a job and notes it in its history. A host may end or claim the job meanwhile: then it is looked at again.</summary>
    internal async Task<JobView> ChangeAsync(string id, Action<Job> change, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        const int MaxTries = 5;
        for (var attempt = 1; ; attempt++)
        {
            var job = await db.Jobs.Include(j => j.After).SingleOrDefaultAsync(j => j.Id == id, cancel) ?? throw LlmOsException.NotFound("job", id, "/api/v1/jobs");
            change(job);
            if (!db.ChangeTracker.HasChanges())
            {
                return await specs.ViewAsync(job, cancel);
            }

            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancel);

                // The job first: its row is locked from here, so no host's line gets an earlier number and a later time.
                await db.SaveChangesAsync(cancel);
                db.Add(job.ToEvent(clock.GetUtcNow()));
                await db.SaveChangesAsync(cancel);
                await transaction.CommitAsync(cancel);
                signal.Raise();
                return await specs.ViewAsync(job, cancel);
            }
            catch (DbUpdateConcurrencyException) when (attempt < MaxTries)
            {
                db.ChangeTracker.Clear();
            }
        }
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
