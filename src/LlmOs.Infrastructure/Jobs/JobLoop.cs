using System.Diagnostics;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>
/// Runs jobs on this host: claims what it has kinds and turns for, keeps the lease while the run works, and
/// publishes the result once. When the host stops, what runs is given back.
/// </summary>
internal sealed partial class JobLoop(
    IServiceScopeFactory scopes,
    JobLeases leases,
    JobSignal signal,
    LlmOsSettings settings,
    DataFolder folder,
    ArtifactStore store,
    JobSpecs specs,
    HostDrain drain,
    IOptions<JobOptions> options,
    TimeProvider clock,
    ILogger<JobLoop> log) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TellInterval = TimeSpan.FromSeconds(1);

    /// <summary>How many jobs of a lane a host with these roles runs at once.</summary>
    internal static int Turns(JobLane lane, HostRoles roles, int generalTurns) => lane switch
    {
        JobLane.General => (roles & (HostRoles.Api | HostRoles.Inference)) != 0 ? generalTurns : 0,
        JobLane.Heavy => roles.HasFlag(HostRoles.Training) ? 1 : 0,
        _ => throw new UnreachableException(),
    };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, drain.Draining);
        if (settings.Database is null)
        {
            await leases.ExpireAllAsync(stop.Token);
        }

        await Task.WhenAll(Lanes().Select(lane => LaneAsync(lane.Kinds, lane.Turns, stop.Token)));
    }

    private List<(IReadOnlyList<string> Kinds, int Turns)> Lanes()
    {
        using var scope = scopes.CreateScope();
        return [.. scope.ServiceProvider.GetServices<JobKind>()
            .GroupBy(kind => kind.Lane)
            .Select(lane => ((IReadOnlyList<string>)[.. lane.Select(kind => kind.Word)], Turns(lane.Key, settings.Roles, options.Value.GeneralTurns)))
            .Where(lane => lane.Item2 > 0)];
    }

    private async Task LaneAsync(IReadOnlyList<string> kinds, int turns, CancellationToken stop)
    {
        var running = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            running.RemoveAll(task => task.IsCompleted);
            var changed = signal.Next;
            if (running.Count < turns && await ClaimAsync(kinds, stop) is { } job)
            {
                running.Add(RunAsync(job, stop));
                continue;
            }

            try
            {
                await JobSignal.WaitAsync(Task.WhenAny([changed, .. running]), LookInterval, clock, stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await Task.WhenAll(running);
    }

    private async Task<Job?> ClaimAsync(IReadOnlyList<string> kinds, CancellationToken stop)
    {
        try
        {
            return await leases.ClaimAsync(kinds, stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // The database may be away for a while; jobs wait until it is back.
            LogClaimFailed(e);
            return null;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task RunAsync(Job job, CancellationToken stop)
    {
        try
        {
            if (await EndedBeforeItBeganAsync(job) || await SpecAsync(job) is not { } spec)
            {
                return;
            }

            using var attempt = new JobAttempt(job, spec, folder, store, clock);
            await using var scope = scopes.CreateAsyncScope();
            var kind = scope.ServiceProvider.GetServices<JobKind>().Single(k => k.Word == job.Kind);
            LogStarted(job.Id, job.Kind, job.Attempt);

            var state = await WorkAsync(kind, attempt, stop);

            LogEnded(job.Id, job.Attempt, state);
            CleanUp(attempt, state);
        }
        catch (Exception e)
        {
            // The row still holds the lease; once it has run out, the job is tried again.
            LogAttemptBroke(e, job.Id, job.Attempt);
        }
    }

    /// <summary>A job that was claimed from a silent host may have been cancelled or paused since, or be what kills its hosts.</summary>
    private async Task<bool> EndedBeforeItBeganAsync(Job job)
    {
        var standing = new JobStanding(job.Progress, job.Line, job.Metrics, null);
        if (job.CancelRequested)
        {
            await leases.CancelAsync(job, new JobNews(standing, []), CancellationToken.None);
            return true;
        }

        if (job.PauseRequested)
        {
            await leases.PauseAsync(job, new JobNews(standing, []), CancellationToken.None);
            return true;
        }

        if (job.LostAttempts >= options.Value.MaxAttempts)
        {
            var error = JobErrors.Of(new LlmOsException(ErrorCode.HostLost, $"{job.LostAttempts} hosts in a row went away while they ran this job, and it got no further.")
            {
                Hint = "Look at the hosts' logs and memory around the starts of its attempts, then retry the job.",
            });
            await leases.FailAsync(job, new JobNews(standing, []), error, CancellationToken.None);
            return true;
        }

        return false;
    }

    /// <summary>The specification; null where it is lost, which has ended the job.</summary>
    private async Task<JsonElement?> SpecAsync(Job job)
    {
        try
        {
            return await specs.OpenAsync(job, CancellationToken.None);
        }
        catch (LlmOsException e)
        {
            await leases.FailAsync(job, new JobNews(new JobStanding(job.Progress, job.Line, job.Metrics, null), []), JobErrors.Of(e), CancellationToken.None);
            return null;
        }
    }

    private void CleanUp(JobAttempt attempt, JobState state)
    {
        try
        {
            attempt.DeleteScratch();
            if (state is JobState.Succeeded)
            {
                attempt.DeleteCheckpoints();
            }
        }
        catch (IOException e)
        {
            // Something still writes there; the housekeeping deletes it later.
            LogNotDeleted(e, attempt.Id);
        }
    }

    /// <returns>The state in which the attempt left the job.</returns>
    private async Task<JobState> WorkAsync(JobKind kind, JobAttempt attempt, CancellationToken stop)
    {
        using var done = new CancellationTokenSource();
        using var stopping = stop.Register(() => attempt.AskToStop(JobStop.Shutdown));
        var watching = WatchAsync(attempt, done.Token);

        JobPublish? publish = null;
        Exception? failure = null;
        try
        {
            // The synchronous beginning of a run must not hold up the lane.
            publish = await Task.Run(() => kind.RunAsync(attempt, attempt.Token), CancellationToken.None);
        }
        catch (Exception e)
        {
            failure = e;
        }

        await done.CancelAsync();
        await watching;
        return await EndAsync(kind, attempt, publish, failure);
    }

    private async Task<JobState> EndAsync(JobKind kind, JobAttempt attempt, JobPublish? publish, Exception? failure)
    {
        var job = attempt.Job;
        var stopped = failure is OperationCanceledException && attempt.Token.IsCancellationRequested;
        var must = CancellationToken.None; // must complete: what the attempt did is told once

        switch (attempt.StopReason)
        {
            case JobStop.LeaseLost:
                LogLeaseLost(job.Id, job.Attempt);
                return JobState.Queued;
            case JobStop.Cancel:
                attempt.DeleteCheckpoints();
                await leases.CancelAsync(job, Last(attempt), must);
                return JobState.Cancelled;
            case JobStop.Pause when stopped:
                await leases.PauseAsync(job, Last(attempt), must);
                return JobState.Paused;
            case JobStop.Shutdown when stopped && kind.CanRepeat:
                await leases.ReleaseAsync(job, Last(attempt), must);
                return JobState.Queued;
            case JobStop.Shutdown when stopped:
                failure = new LlmOsException(ErrorCode.Unavailable, "The server was stopped while the job ran.") { Hint = "Retry the job." };
                break;
        }

        if (publish is not null)
        {
            try
            {
                if (await leases.PublishAsync(job, Last(attempt), WithFiles(publish, attempt), must))
                {
                    return JobState.Succeeded;
                }

                LogLeaseLost(job.Id, job.Attempt);
                return JobState.Queued;
            }
            catch (Exception e)
            {
                failure = e;
            }
        }

        return await EndInFailureAsync(kind, attempt, failure!, must);
    }

    private async Task<JobState> EndInFailureAsync(JobKind kind, JobAttempt attempt, Exception failure, CancellationToken must)
    {
        var (job, error) = (attempt.Job, JobErrors.Of(failure));
        if (failure is not LlmOsException)
        {
            LogFailed(failure, job.Id, job.Attempt);
        }

        attempt.Log(JobLogLevel.Error, JobCodes.FailedBecause.With(("error_code", error.Code), ("error", string.Join(Environment.NewLine, new[] { error.Message, error.Detail }.OfType<string>()))));
        if (kind.CanRepeat && JobRetry.IsPassing(failure))
        {
            var backoff = JobRetry.After(job.Failures, job.Headway, attempt.Standing.Progress, options.Value);
            if (backoff.Pause is not null)
            {
                await leases.PostponeAsync(job, Last(attempt), backoff, error, must);
                return JobState.Queued;
            }
        }

        await leases.FailAsync(job, Last(attempt), error, must);
        return JobState.Failed;
    }

    /// <summary>What has not been stored yet, and where the run stands in any case.</summary>
    private static JobNews Last(JobAttempt attempt) => new(attempt.Standing, attempt.TakeNews()?.Lines ?? []);

    /// <summary>Lets the staged files be seen within the publication, which a stale attempt does not reach.</summary>
    private static JobPublish WithFiles(JobPublish publish, JobAttempt attempt) => async (db, cancel) =>
    {
        var result = await publish(db, cancel);
        await attempt.PlaceStagedAsync(cancel);
        return result;
    };

    /// <summary>Stores what the run reports, renews the lease, and hands on what people ask of the job.</summary>
    private async Task WatchAsync(JobAttempt attempt, CancellationToken done)
    {
        var (renewed, told) = (clock.GetTimestamp(), clock.GetTimestamp());
        using var timer = new PeriodicTimer(options.Value.WatchInterval, clock);
        while (!done.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(done);
                var news = clock.GetElapsedTime(told) >= TellInterval ? attempt.TakeNews() : null;
                var renew = news is not null || clock.GetElapsedTime(renewed) >= options.Value.RenewInterval;
                var requests = renew
                    ? await leases.RenewAsync(attempt.Job, news, done)
                    : await leases.RequestsAsync(attempt.Job, done);
                renewed = renew ? clock.GetTimestamp() : renewed;
                told = news is not null ? clock.GetTimestamp() : told;
                if (requests is null)
                {
                    attempt.AskToStop(JobStop.LeaseLost);
                    return;
                }

                if (requests.Cancel || requests.Pause)
                {
                    attempt.AskToStop(requests.Cancel ? JobStop.Cancel : JobStop.Pause);
                }
            }
            catch (OperationCanceledException) when (done.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                LogRenewFailed(e, attempt.Id);
                if (clock.GetElapsedTime(renewed) > options.Value.Lease)
                {
                    // Nobody knows who holds the job now; the fencing decides when this run ends.
                    attempt.AskToStop(JobStop.LeaseLost);
                    return;
                }
            }
        }
    }
}
