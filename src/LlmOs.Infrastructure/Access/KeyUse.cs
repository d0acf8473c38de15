using System.Collections.Concurrent;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Infrastructure.Access;

/// <summary>
/// Writes down when a key was last used, now and then and beside the requests: a key opens the door also while the database
/// takes no writes. Keys that ended long ago are forgotten.
/// </summary>
public sealed partial class KeyUse(IDbContextFactory<LlmOsDb> databases, TimeProvider clock, ILogger<KeyUse> log) : BackgroundService
{
    /// <summary>How long a key is listed after it was revoked or has expired.</summary>
    internal static readonly TimeSpan KeptFor = TimeSpan.FromDays(90);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ForgetInterval = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<string, DateTimeOffset> _used = new(StringComparer.Ordinal);

    /// <summary>Notes a use.</summary>
    /// <param name="keyId">As <see cref="ApiKey.Id"/>.</param>
    public void Note(string keyId) => _used[keyId] = clock.GetUtcNow();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        long? forgot = null;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await WriteAsync(stoppingToken);
            if (forgot is not { } last || clock.GetElapsedTime(last) >= ForgetInterval)
            {
                forgot = clock.GetTimestamp();
                await ForgetAsync(stoppingToken);
            }
        }
    }

    internal async Task ForgetAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            var before = clock.GetUtcNow() - KeptFor;
            await db.ApiKeys.Where(k => k.RevokedAt < before || k.ExpiresAt < before).ExecuteDeleteAsync(cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            LogNotWritten(e);
        }
    }

    /// <summary>Stores what was noted; what cannot be stored stays noted.</summary>
    internal async Task WriteAsync(CancellationToken cancel)
    {
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancel);
            await db.RelaxAsync(cancel);
            foreach (var (id, at) in _used.ToArray())
            {
                await db.ApiKeys.Where(k => k.Id == id && (k.LastUsedAt == null || k.LastUsedAt < at)).ExecuteUpdateAsync(set => set.SetProperty(k => k.LastUsedAt, at), cancel);
                _used.TryRemove(new KeyValuePair<string, DateTimeOffset>(id, at)); // unless it was used again
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            LogNotWritten(e);
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    [LoggerMessage(LogLevel.Warning, "What is kept of keys could not be written; it is tried again")]
    private partial void LogNotWritten(Exception cause);
}
