using System.Text.Json;
using LlmOs.Infrastructure.Http;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>One kind of long work, as the job loop and <c>/api/v1/jobs</c> see it. Derive from <see cref="JobKind{TRequest}"/>.</summary>
public abstract class JobKind
{
    private protected JobKind()
    {
    }

    /// <summary>What a job's <c>kind</c> says; never changes, since stored jobs are found by it.</summary>
    public abstract string Word { get; }

    /// <summary>What it shares its turn with on one host.</summary>
    public virtual JobLane Lane => JobLane.General;

    /// <summary>True when a run that was stopped with <see cref="JobStop.Pause"/> leaves a checkpoint to go on from.</summary>
    public virtual bool CanPause => false;

    /// <summary>False when an interrupted run must not be begun again; it then fails instead of waiting for another host.</summary>
    public virtual bool CanRepeat => true;

    /// <summary>Reads and checks a specification that came through <c>POST /api/v1/jobs</c>.</summary>
    internal abstract Task<object> CheckAsync(JsonElement spec, CancellationToken cancel);

    /// <summary>What a request is about.</summary>
    internal abstract string? SubjectOf(object request);

    /// <param name="cancel">Fires when the run should stop; <see cref="JobContext.StopReason"/> then says why.</param>
    public abstract Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel);
}

/// <summary>
/// One kind of long work: its word, its lane, the check of its request, and the run. A run may be repeated after a crash, so
/// it writes nothing that others see: it returns a <see cref="JobPublish"/>, which the job loop runs once, in the transaction
/// that ends the job. A refusal is thrown as <see cref="LlmOsException"/> and becomes the job's error.
/// </summary>
/// <typeparam name="TRequest">A record of the contracts: the body of the kind's own route, and the job's <c>spec</c>.</typeparam>
public abstract class JobKind<TRequest> : JobKind
    where TRequest : class
{
    /// <summary>Refuses what can be seen to be wrong before there is a job, by field.</summary>
    /// <returns>The request to store.</returns>
    public virtual Task<TRequest> CheckAsync(TRequest request, CancellationToken cancel) => Task.FromResult(request);

    /// <summary>What a request is about, such as the name of what the job makes: lists show it. Null: nothing that has a name.</summary>
    protected virtual string? SubjectOf(TRequest request) => null;

    internal sealed override string? SubjectOf(object request) => SubjectOf((TRequest)request);

    public sealed override Task<JobPublish> RunAsync(JobContext job, CancellationToken cancel) => RunAsync(job, job.SpecAs<TRequest>(), cancel);

    internal sealed override async Task<object> CheckAsync(JsonElement spec, CancellationToken cancel) =>
        await CheckAsync(FreeForm.Read<TRequest>(spec, "spec"), cancel);

    /// <inheritdoc cref="JobKind.RunAsync(JobContext, CancellationToken)"/>
    protected abstract Task<JobPublish> RunAsync(JobContext job, TRequest request, CancellationToken cancel);
}

/// <summary>Writes a job's result to the database; what it returns becomes the job's <c>result</c>.</summary>
/// <remarks>Runs inside the transaction that checks the attempt number: a stale attempt's writes are rolled back.</remarks>
public delegate Task<object> JobPublish(LlmOsDb db, CancellationToken cancel);

/// <summary>Jobs of one lane share a number of turns on each host.</summary>
public enum JobLane
{
    /// <summary>Several at a time (<see cref="JobOptions.GeneralTurns"/>), on hosts with the role api or inference.</summary>
    General,

    /// <summary>Work that takes a whole machine: one at a time, on hosts with the role training.</summary>
    Heavy,
}
