using System.ComponentModel.DataAnnotations;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Jobs;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LlmOs.Infrastructure.Storage;

/// <summary>Section <c>Collector</c> of the configuration.</summary>
public sealed class CollectorOptions
{
    public const string Section = "Collector";

    /// <summary>Minutes for which a file stays although nothing refers to it.</summary>
    [Range(0, 525_600)]
    public int GraceMinutes { get; set; } = 60;

    /// <summary>Minutes between two collections of a host.</summary>
    [Range(1, 525_600)]
    public int IntervalMinutes { get; set; } = 15;

    /// <summary>Days for which an upload is kept that nobody writes to or imports.</summary>
    [Range(0, 3650)]
    public int UploadDays { get; set; } = 7;

    /// <summary>Days for which a failed job keeps what a retry could go on from.</summary>
    [Range(0, 3650)]
    public int FailedJobDays { get; set; } = 7;
}

/// <summary>What a collection goes by.</summary>
/// <param name="Now">When it began.</param>
/// <param name="Before">Only what was last changed before may go: older than the grace period and than every job that runs.</param>
/// <param name="DryRun">Count, and delete nothing.</param>
public sealed record CollectRound(LlmOsDb Db, DateTimeOffset Now, DateTimeOffset Before, bool DryRun);

/// <summary>Finds and deletes one kind of file that nothing refers to. Several hosts may run it at once on one folder.</summary>
public interface ICollectable
{
    Task<CollectedView> CollectAsync(CollectRound round, CancellationToken cancel);
}

/// <summary>Brings disk use back to what is referred to.</summary>
public sealed partial class Collector(
    IDbContextFactory<LlmOsDb> databases,
    IEnumerable<ICollectable> collectables,
    IOptions<CollectorOptions> options,
    TimeProvider clock,
    ILogger<Collector> log)
{
    /// <summary>Clocks of hosts, database and file server differ a little.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    public async Task<CollectReport> CollectAsync(bool dryRun, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = clock.GetUtcNow();
        var round = new CollectRound(db, now, await BeforeAsync(db, now, cancel), dryRun);
        List<CollectedView> items = [];
        foreach (var collectable in collectables)
        {
            items.Add(await collectable.CollectAsync(round, cancel));
        }

        var report = new CollectReport(dryRun, items.Sum(i => i.Bytes), items);
        if (!dryRun && items.Sum(i => i.Files) is > 0 and var files)
        {
            LogCollected(files, report.FreedBytes);
        }

        return report;
    }

    /// <summary>A running job may hold files that it will refer to only when it ends, so nothing newer than its start may go.</summary>
    private async Task<DateTimeOffset> BeforeAsync(LlmOsDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var before = now - TimeSpan.FromMinutes(options.Value.GraceMinutes);
        var started = await db.Jobs.Where(j => j.State == JobState.Running || j.State == JobState.Pausing).MinAsync(j => j.StartedAt, cancel);
        return started is { } oldest && oldest - Skew < before ? oldest - Skew : before;
    }

    [LoggerMessage(LogLevel.Debug, "Deleted {Files} files that nothing referred to: {Bytes} bytes")]
    private partial void LogCollected(int files, long bytes);
}

/// <summary>Collects from time to time.</summary>
internal sealed partial class CollectorLoop(Collector collector, IOptions<CollectorOptions> options, TimeProvider clock, ILogger<CollectorLoop> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.Value.IntervalMinutes), clock);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await collector.CollectAsync(dryRun: false, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The disk or the database may be unreachable for a while. The next collection does the work.
                LogFailed(e);
            }
        }
    }

    [LoggerMessage(LogLevel.Warning, "Files that nothing refers to could not be collected; it is tried again")]
    private partial void LogFailed(Exception cause);
}
