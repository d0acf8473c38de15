using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>The door to long work: what is submitted here runs on a host that has a runner for its kind.</summary>
public sealed class JobQueue(IDbContextFactory<LlmOsDb> databases, TimeProvider clock, JobSignal signal)
{
    /// <summary>Stores a job; it is safe against a crash when this returns.</summary>
    /// <param name="spec">What the runner will read, written with the platform's JSON rules.</param>
    public async Task<JobView> SubmitAsync<TSpec>(string kind, TSpec spec, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var job = Job.Submit(kind, JsonSerializer.Serialize(spec, LlmOsJson.Options), priority: 0, clock.GetUtcNow());
        db.Add(job);
        await db.SaveChangesAsync(cancel);
        signal.Raise();
        return job.ToView();
    }

    /// <summary>A job by its id; refuses with <see cref="ErrorCode.NotFound"/>.</summary>
    public async Task<JobView> GetAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var job = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancel);
        return (job ?? throw LlmOsException.NotFound("job", id)).ToView();
    }
}
