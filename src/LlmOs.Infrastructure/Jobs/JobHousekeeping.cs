using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>
/// What no run does: fails jobs that wait in vain, forgets old ones, and deletes folders that dead hosts left. Every host
/// does it; each step compares what it relies on, so that it makes no difference how many do.
/// </summary>
internal sealed partial class JobHousekeeping(
    IDbContextFactory<LlmOsDb> databases,
    DataFolder folder,
    JobSignal signal,
    IOptions<JobOptions> options,
    TimeProvider clock,
    ILogger<JobHousekeeping> log) : BackgroundService
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromHours(1);

    /// <summary>A folder younger than this may belong to a run that is just beginning.</summary>
    private static readonly TimeSpan YoungFolder = TimeSpan.FromMinutes(10);

    private const int ForgottenAtOnce = 200;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        long? swept = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var changed = signal.Next;
            try
            {
                await FailVainWaitersAsync(stoppingToken);
                if (swept is not { } last || clock.GetElapsedTime(last) >= SweepInterval)
                {
                    await ForgetAsync(stoppingToken);
                    await SweepFoldersAsync(stoppingToken);
                    swept = clock.GetTimestamp();
                }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(e);
            }

            await Task.Delay(Rest, clock, stoppingToken);
            await JobSignal.WaitAsync(changed, LookInterval, clock, stoppingToken);
        }
    }

    /// <summary>Fails the waiting jobs for which a job that they come after failed or was cancelled.</summary>
    internal async Task FailVainWaitersAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var vain = await (
            from waiter in db.Jobs
            where waiter.State == JobState.Queued
            from dependency in waiter.After
            join before in db.Jobs on dependency.AfterId equals before.Id
            where before.State == JobState.Failed || before.State == JobState.Cancelled
            select new { Waiter = waiter, Before = before.Id, before.State }).AsNoTracking().ToListAsync(cancel);

        foreach (var one in vain.DistinctBy(v => v.Waiter.Seq))
        {
            await FailAsync(one.Waiter, one.Before, one.State, cancel);
        }
    }

    /// <summary>Deletes jobs that ended long ago, with their events and logs, unless another job still waits for them.</summary>
    internal async Task ForgetAsync(CancellationToken cancel)
    {
        var before = clock.GetUtcNow() - TimeSpan.FromDays(options.Value.KeepDays);
        while (true)
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var waited = db.Jobs
                .Where(j => j.State != JobState.Succeeded && j.State != JobState.Failed && j.State != JobState.Cancelled)
                .SelectMany(j => j.After)
                .Select(d => d.AfterId);
            var old = await db.Jobs
                .Where(j => j.FinishedAt < before && (j.State == JobState.Succeeded || j.State == JobState.Failed || j.State == JobState.Cancelled))
                .Where(j => !waited.Contains(j.Id))
                .OrderBy(j => j.Seq)
                .Select(j => j.Id)
                .Take(ForgottenAtOnce)
                .ToListAsync(cancel);
            if (old.Count == 0)
            {
                return;
            }

            await using var transaction = await db.Database.BeginTransactionAsync(cancel);

            // First, and with the time again: a job that was retried meanwhile keeps its history.
            var gone = await db.Jobs.Where(j => old.Contains(j.Id) && j.FinishedAt < before).ExecuteDeleteAsync(cancel);
            var left = await db.Jobs.Where(j => old.Contains(j.Id)).Select(j => j.Id).ToListAsync(cancel);
            old.RemoveAll(left.Contains);
            await db.JobEvents.Where(e => old.Contains(e.JobId)).ExecuteDeleteAsync(cancel);
            await db.JobLogs.Where(l => old.Contains(l.JobId)).ExecuteDeleteAsync(cancel);
            await transaction.CommitAsync(cancel);
            LogForgotten(gone);
        }
    }

    /// <summary>Deletes the folders of runs that are over and the checkpoints of jobs that will not go on.</summary>
    internal async Task SweepFoldersAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        foreach (var scratch in Old(folder.Scratch))
        {
            if (RunFolder().Match(Path.GetFileName(scratch)) is { Success: true } run)
            {
                var (id, attempt) = (run.Groups["job"].Value, int.Parse(run.Groups["attempt"].ValueSpan, CultureInfo.InvariantCulture));
                var isRunning = await db.Jobs.AnyAsync(
                    j => j.Id == id && j.Attempt <= attempt && (j.State == JobState.Running || j.State == JobState.Pausing), cancel);
                DeleteUnless(isRunning, scratch);
            }
        }

        foreach (var checkpoints in Old(folder.Jobs))
        {
            var id = Path.GetFileName(checkpoints);
            var isWanted = await db.Jobs.AnyAsync(j => j.Id == id && j.State != JobState.Succeeded && j.State != JobState.Cancelled, cancel);
            DeleteUnless(isWanted, checkpoints);
        }
    }

    private async Task FailAsync(Job waiter, string before, JobState state, CancellationToken cancel)
    {
        var error = new JobError(
            ErrorCode.DependencyFailed.ToWord(),
            $"Job {before}, which this one comes after, {(state == JobState.Failed ? "failed" : "was cancelled")}.",
            Detail: null,
            "Retry that job, then this one.");
        var line = JobCodes.Failed.With(("error", error.Message)).ToLine(error.Message.Length);
        var (json, now) = (JsonSerializer.Serialize(error, LlmOsJson.Options), clock.GetUtcNow());

        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var rows = await db.Jobs.Where(j => j.Seq == waiter.Seq && j.State == JobState.Queued).ExecuteUpdateAsync(
            set => set
                .SetProperty(j => j.State, JobState.Failed)
                .SetProperty(j => j.Message, line.Text)
                .SetProperty(j => j.Code, line.Code)
                .SetProperty(j => j.Arguments, line.Arguments)
                .SetProperty(j => j.Error, json)
                .SetProperty(j => j.FinishedAt, now)
                .SetProperty(j => j.RowVersion, j => j.RowVersion + 1),
            cancel);
        if (rows == 0)
        {
            return;
        }

        db.Add(new JobEvent
        {
            JobId = waiter.Id,
            Attempt = waiter.Attempt,
            State = JobState.Failed,
            Progress = waiter.Progress,
            Message = line.Text,
            Code = line.Code,
            Arguments = line.Arguments,
            Metrics = waiter.Metrics,
            At = now,
        });
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        signal.Raise();
    }

    private IEnumerable<string> Old(string parent)
    {
        var before = (clock.GetUtcNow() - YoungFolder).UtcDateTime;
        return Directory.GetDirectories(parent).Where(path => Directory.GetLastWriteTimeUtc(path) < before);
    }

    private void DeleteUnless(bool isWanted, string path)
    {
        if (isWanted)
        {
            return;
        }

        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (IOException e)
        {
            LogNotDeleted(e);
        }
    }

    [GeneratedRegex("^(?<job>job_[0-9a-f]{24})-(?<attempt>[0-9]{1,9})$")]
    private static partial Regex RunFolder();

    [LoggerMessage(LogLevel.Warning, "The care for old and waiting jobs failed; it is tried again")]
    private partial void LogFailed(Exception cause);

    [LoggerMessage(LogLevel.Debug, "Forgot {Count} jobs that ended long ago")]
    private partial void LogForgotten(int count);

    [LoggerMessage(LogLevel.Debug, "A folder that no run uses could not be deleted; it is tried again")]
    private partial void LogNotDeleted(Exception cause);
}
