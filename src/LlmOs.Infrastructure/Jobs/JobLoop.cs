using System.Diagnostics;
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

    /// <summary>How often a run's progress becomes a line of the history: of the first hour each second, of later ones fewer; a day has 15,000.</summary>
    internal static TimeSpan LineInterval(TimeSpan elapsed) => elapsed / 3600 > TellInterval ? elapsed / 3600 : TellInterval;

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
            await ExpireAllAsync(stop.Token);
        }

        await Task.WhenAll(Lanes().Select(lane => LaneAsync(lane.Kinds, lane.Turns, stop.Token)));
    }

    /// <summary>Frees the jobs of the server that was here before; the database may be busy at first.</summary>
    private async Task ExpireAllAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await leases.ExpireAllAsync(stop);
                return;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                LogClaimFailed(e);
            }

            await Task.Delay(LookInterval, clock, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
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
            await using var scope = scopes.CreateAsyncScope();
            var kind = scope.ServiceProvider.GetServices<JobKind>().Single(k => k.Word == job.Kind);
            if (await EndedBeforeItBeganAsync(job) || await OpenAsync(kind, job) is not { } attempt)
            {
                return;
            }

            using (attempt)
            {
                LogStarted(job.Id, job.Kind, job.Attempt);
                var state = await WorkAsync(kind, attempt, stop);
                LogEnded(job.Id, job.Attempt, state);
                CleanUp(attempt, state);
            }
        }
        catch (Exception e)
        {
            // The row still holds the lease; once it has run out, the job is tried again.
            LogAttemptBroke(e, job.Id, job.Attempt);
        }
    }

    /// <summary>The run with its specification and its folders; null where there is none, which has ended the job or put it off.</summary>
    private async Task<JobAttempt?> OpenAsync(JobKind kind, Job job)
    {
        try
        {
            return new JobAttempt(job, await specs.OpenAsync(job, CancellationToken.None), folder, store, clock);
        }
        catch (Exception failure)
        {
            // Else its host would seem to have been lost.
            LogFailed(failure, job.Id, job.Attempt);
            var isFolder = failure is UnauthorizedAccessException || (failure is IOException && DatabaseFaults.AsRefusal(failure) is null);
            var known = isFolder ? new LlmOsException(ErrorCode.Unavailable, "The folders of this run could not be made in the data folder.", failure) { Hint = "The server's log says why." } : failure;
            await EndInFailureAsync(kind, job, job.Progress, known, new JobNews(StandingOf(job), []));
            return null;
        }
    }

    /// <summary>A job that was claimed from a silent host may have been cancelled or paused since, or be what kills its hosts.</summary>
    private async Task<bool> EndedBeforeItBeganAsync(Job job)
    {
        var standing = StandingOf(job);
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

    private static JobStanding StandingOf(Job job) => new(job.Progress, job.Line, job.Metrics, null);

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

    /// <summary>Stores what the run reports, renews the lease, and hands on what people ask of the job.</summary>
    private async Task WatchAsync(JobAttempt attempt, CancellationToken done)
    {
        var began = clock.GetTimestamp();
        var (renewed, told, noted) = (began, began, began);
        using var timer = new PeriodicTimer(options.Value.WatchInterval, clock);
        while (!done.IsCancellationRequested)
        {
            JobNews? news = null;
            try
            {
                await timer.WaitForNextTickAsync(done);
                news = clock.GetElapsedTime(told) >= TellInterval ? attempt.TakeNews() : null;
                if (news is not null && clock.GetElapsedTime(noted) < LineInterval(clock.GetElapsedTime(began)))
                {
                    news = news with { IsPassing = true };
                }

                var renew = news is not null || clock.GetElapsedTime(renewed) >= options.Value.RenewInterval;
                var requests = renew
                    ? await leases.RenewAsync(attempt.Job, news, done)
                    : await leases.RequestsAsync(attempt.Job, done);
                renewed = renew ? clock.GetTimestamp() : renewed;
                told = news is not null ? clock.GetTimestamp() : told;
                noted = news is { IsPassing: false, Standing: not null } ? clock.GetTimestamp() : noted;
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
                attempt.PutBack(news);
                return;
            }
            catch (Exception e)
            {
                attempt.PutBack(news);
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
