using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Infrastructure.Compute;

/// <summary>Keeps this host's row fresh, and takes it away at the end.</summary>
internal sealed partial class NodeHeartbeat(
    IDbContextFactory<LlmOsDb> databases,
    NodeIdentity identity,
    LlmOsSettings settings,
    HostDrain drain,
    SharedClock shared,
    TimeProvider clock,
    ILogger<NodeHeartbeat> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellationToken);
            await db.Nodes.Where(n => n.Id == identity.Id).ExecuteDeleteAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogFarewellFailed(e);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        DateTimeOffset? startedAt = null;
        using var timer = new PeriodicTimer(Interval, clock);
        do
        {
            try
            {
                startedAt = await BeatAsync(startedAt, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                LogBeatFailed(e);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <returns>When this host began, by the clock of all.</returns>
    private async Task<DateTimeOffset> BeatAsync(DateTimeOffset? startedAt, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await db.RelaxAsync(cancel);
        var now = await shared.NowAsync(db, cancel);
        var draining = drain.IsDraining;
        var known = await db.Nodes.Where(n => n.Id == identity.Id)
            .ExecuteUpdateAsync(set => set.SetProperty(n => n.SeenAt, now).SetProperty(n => n.Draining, draining), cancel);
        if (known == 0)
        {
            db.Add(new Node
            {
                Id = identity.Id,
                Roles = settings.Roles == HostRoles.All ? "api,inference,training" : settings.Roles.ToString().Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant(),
                Processors = Environment.ProcessorCount,
                MemoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                StartedAt = startedAt ?? now,
                SeenAt = now,
                Draining = draining,
            });
            await db.SaveChangesAsync(cancel);
        }

        var forgotten = now - Node.ForgottenAfter;
        await db.Nodes.Where(n => n.SeenAt < forgotten).ExecuteDeleteAsync(cancel);
        return startedAt ?? now;
    }

    [LoggerMessage(LogLevel.Warning, "This host's heartbeat could not be written; it is tried again.")]
    private partial void LogBeatFailed(Exception cause);

    [LoggerMessage(LogLevel.Warning, "This host's row could not be taken away; it will be shown as lost for an hour.")]
    private partial void LogFarewellFailed(Exception cause);
}
