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

    /// <summary>Hours for which a file that nothing refers to lies in the quarantine before it is deleted.</summary>
    [Range(0, 87_600)]
    public int QuarantineHours { get; set; } = 72;

    /// <summary>The share of all stored files that one collection may set aside.</summary>
    [Range(0.0, 1.0)]
    public double MaxShare { get; set; } = 0.5;

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
public sealed record CollectRound(LlmOsDb Db, DateTimeOffset Now, DateTimeOffset Before, bool DryRun)
{
    /// <summary>Take also what is more than the share that may go at once.</summary>
    public bool Force { get; init; }

    /// <summary>Delete also what was set aside only now.</summary>
    public bool Purge { get; init; }
}

/// <summary>Finds and deletes one kind of file that nothing refers to. Several hosts may run it at once on one folder.</summary>
public interface ICollectable
{
    /// <summary>The kind, as a report names it.</summary>
    string What { get; }

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
    /// <summary>Clocks of hosts, database and file server differ.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(10);

    private const string Unverified = "The store was restored from a backup and has not been verified since, so nothing is deleted. POST /api/v1/artifacts/verify checks it.";

    /// <param name="dryRun">Count, and change nothing.</param>
    /// <param name="force">Go on where a collection stops to be safe.</param>
    /// <param name="purge">Delete what is in the quarantine at once.</param>
    public async Task<CollectReport> CollectAsync(bool dryRun, CancellationToken cancel, bool force = false, bool purge = false)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (!force && await db.Stores.AnyAsync(s => s.UnverifiedSince != null, cancel))
        {
            LogStopped(Unverified);
            return new CollectReport(dryRun, 0, []) { Stopped = Unverified };
        }

        var now = clock.GetUtcNow();
        var round = new CollectRound(db, now, await BeforeAsync(db, now, cancel), dryRun) { Force = force, Purge = purge };
        List<CollectedView> items = [];
        foreach (var collectable in collectables)
        {
            items.Add(await CollectAsync(collectable, round, cancel));
        }

        var report = new CollectReport(dryRun, items.Where(i => !i.SetAside).Sum(i => i.Bytes), items) { Stopped = items.Select(i => i.Stopped).FirstOrDefault(why => why is not null) };
        if (report.Stopped is { } stopped)
        {
            LogStopped(stopped);
        }

        if (!dryRun && items.Sum(i => i.Files) is > 0 and var files)
        {
            LogCollected(files, report.FreedBytes);
        }

        return report;
    }

    /// <summary>One kind, whatever becomes of it: on a full disk the database may refuse to forget an upload, and the blobs must go all the same.</summary>
    private async Task<CollectedView> CollectAsync(ICollectable collectable, CollectRound round, CancellationToken cancel)
    {
        try
        {
            return await collectable.CollectAsync(round, cancel);
        }
        catch (Exception fault) when (DatabaseFaults.AsRefusal(fault) is not null || fault is IOException)
        {
            LogPartFailed(collectable.What, fault);
            return new CollectedView(collectable.What, 0, 0) { Stopped = DatabaseFaults.AsRefusal(fault)?.Message ?? "A file or folder could not be read or deleted; the log says why." };
        }
    }

    /// <summary>A running job may hold files that it will refer to only when it ends, so nothing newer than its start may go.</summary>
    private async Task<DateTimeOffset> BeforeAsync(LlmOsDb db, DateTimeOffset now, CancellationToken cancel)
    {
        var before = now - TimeSpan.FromMinutes(options.Value.GraceMinutes);
        var started = await db.Jobs.Where(j => j.State == JobState.Running || j.State == JobState.Pausing).MinAsync(j => j.StartedAt, cancel);
        return started is { } oldest && oldest - Skew < before ? oldest - Skew : before;
    }

    [LoggerMessage(LogLevel.Warning, "A collection stopped: {Why}")]
    private partial void LogStopped(string why);

    [LoggerMessage(LogLevel.Warning, "Files of the kind {What} could not be collected")]
    private partial void LogPartFailed(string what, Exception fault);

    [LoggerMessage(LogLevel.Debug, "Took {Files} files that nothing referred to; {Bytes} bytes became free")]
    private partial void LogCollected(int files, long bytes);
}

/// <summary>Collects from time to time. A store that was restored is verified first, by a job of this host's making.</summary>
internal sealed partial class CollectorLoop(
    Collector collector,
    IDbContextFactory<LlmOsDb> databases,
    JobQueue queue,
    VerifyKind verify,
    IOptions<CollectorOptions> options,
    TimeProvider clock,
    ILogger<CollectorLoop> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMinutes(options.Value.IntervalMinutes), clock);
        await TryAsync(VerifyRestoredAsync, stoppingToken);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await TryAsync(VerifyRestoredAsync, stoppingToken);
            await TryAsync(cancel => collector.CollectAsync(dryRun: false, cancel), stoppingToken);
        }
    }

    private async Task VerifyRestoredAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var since = await db.Stores.Select(s => s.UnverifiedSince).SingleOrDefaultAsync(cancel);
        if (since is not null && !await db.Jobs.AnyAsync(j => j.Kind == verify.Word && j.CreatedAt >= since, cancel))
        {
            await queue.SubmitAsync(verify, new VerifyRequest(), cancel);
        }
    }

    private async Task TryAsync(Func<CancellationToken, Task> work, CancellationToken stop)
    {
        try
        {
            await work(stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            // The disk or the database may be unreachable for a while. The next collection does the work.
            LogFailed(e);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Files that nothing refers to could not be collected; it is tried again")]
    private partial void LogFailed(Exception cause);
}
