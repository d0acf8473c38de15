using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;

namespace LlmOs.Infrastructure.Jobs;

/// <content>How runs end. What a run did in hours must not hang on whether the database answers in that second.</content>
internal sealed partial class JobLoop
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(10);

    /// <summary>How long the end of a run is kept for a database that does not take it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

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
                await StoreEndAsync(job, Last(attempt), last => leases.CancelAsync(job, last, must));
                return JobState.Cancelled;
            case JobStop.Pause when stopped:
                await StoreEndAsync(job, Last(attempt), last => leases.PauseAsync(job, last, must));
                return JobState.Paused;
            case JobStop.Shutdown when stopped && kind.CanRepeat:
                await StoreEndAsync(job, Last(attempt), last => leases.ReleaseAsync(job, last, must));
                return JobState.Queued;
            case JobStop.Shutdown when stopped:
                failure = new LlmOsException(ErrorCode.Unavailable, "The server was stopped while the job ran.") { Hint = "Retry the job." };
                break;
        }

        var told = Last(attempt);
        if (publish is not null)
        {
            try
            {
                if (await StoreEndAsync(job, told, last => leases.PublishAsync(job, last, WithFiles(publish, attempt), must)))
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

        // First, as it may be what fills the disk that the end is to be stored on.
        DeleteScratch(attempt);
        return await EndInFailureAsync(kind, job, attempt.Standing.Progress, failure!, told);
    }

    /// <param name="progress">How far the run came.</param>
    private async Task<JobState> EndInFailureAsync(JobKind kind, Job job, double progress, Exception failure, JobNews told)
    {
        var (error, must) = (JobErrors.Of(failure), CancellationToken.None);
        if (failure is not LlmOsException)
        {
            LogFailed(failure, job.Id, job.Attempt);
        }

        var line = JobCodes.FailedBecause.With(("error_code", error.Code), ("error", string.Join(Environment.NewLine, new[] { error.Message, error.Detail }.OfType<string>())));
        told = told with { Lines = [.. told.Lines, JobAttempt.LineOf(JobLogLevel.Error, line, clock.GetUtcNow())] };
        if (kind.CanRepeat && JobRetry.IsPassing(failure))
        {
            var backoff = JobRetry.After(job.Failures, job.Headway, progress, options.Value);
            if (backoff.Pause is not null)
            {
                await StoreEndAsync(job, told, last => leases.PostponeAsync(job, last, backoff, error, must));
                return JobState.Queued;
            }
        }

        await StoreEndAsync(job, told, last => leases.FailAsync(job, last, error, must));
        return JobState.Failed;
    }

    /// <summary>Stores the end of a run, again and again while the database is away or full.</summary>
    /// <remarks>Nobody else gets the job before the database is back, and then the attempt's number decides.</remarks>
    /// <returns>False when the job is no longer this attempt's.</returns>
    private async Task<bool> StoreEndAsync(Job job, JobNews last, Func<JobNews, Task<bool>> end)
    {
        var began = clock.GetTimestamp();
        for (var pause = FirstPause; ; pause = pause * 2 < MaxPause ? pause * 2 : MaxPause)
        {
            try
            {
                return await end(last);
            }
            catch (Exception e) when (DatabaseFaults.AsRefusal(e)?.Code is ErrorCode.Unavailable or ErrorCode.OutOfDisk && !drain.IsDraining && clock.GetElapsedTime(began) < Patience)
            {
                LogEndNotStored(e, job.Id);
            }

            await Task.Delay(pause, clock, drain.Draining).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
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

    private void CleanUp(JobAttempt attempt, JobState state)
    {
        DeleteScratch(attempt);
        if (state is not JobState.Succeeded)
        {
            return;
        }

        try
        {
            attempt.DeleteCheckpoints();
        }
        catch (IOException e)
        {
            LogNotDeleted(e, attempt.Id);
        }
    }

    private void DeleteScratch(JobAttempt attempt)
    {
        try
        {
            attempt.DeleteScratch();
        }
        catch (IOException e)
        {
            // Something still writes there; the housekeeping deletes it later.
            LogNotDeleted(e, attempt.Id);
        }
    }
}
