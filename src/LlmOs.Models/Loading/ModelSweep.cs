using LlmOs.Infrastructure.Storage;
using Microsoft.Extensions.Hosting;

namespace LlmOs.Models.Loading;

/// <summary>Unloads models whose time is over, and those that were archived or deleted, by whichever host.</summary>
internal sealed class ModelSweep(ModelHost host, ModelCatalogue catalogue, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                host.Sweep();
                await UnloadGoneAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task UnloadGoneAsync(CancellationToken cancel)
    {
        var loaded = host.Models();
        if (loaded.Count == 0)
        {
            return;
        }

        try
        {
            var gone = await catalogue.ListGoneAsync(loaded, cancel);
            if (gone.Count > 0)
            {
                host.Unload(gone.Contains, UnloadReason.Gone);
            }
        }
        catch (Exception fault) when (DatabaseFaults.AsRefusal(fault) is not null)
        {
            // The database is away: the next round asks again.
        }
    }
}
