using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry;

/// <summary>Lists the shipped starter when the host starts; the host counts as ready once that is done.</summary>
/// <remarks>The database is migrated before this starts. What keeps the starter from being listed may pass: a full disk, a database that is away.</remarks>
internal sealed partial class StarterHost(StarterRegistration starter, TimeProvider clock, ILogger<StarterHost> log) : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private volatile string? _whyNot = "the starter model is not listed yet";

    public Task<string?> WhyNotAsync(CancellationToken cancel) => Task.FromResult(_whyNot);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (_whyNot is not null)
        {
            try
            {
                await starter.RegisterAsync(StarterRegistration.FindFolder(AppContext.BaseDirectory), stoppingToken);
                _whyNot = null;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                _whyNot = "the starter model could not be listed; the log says why";
                LogFailed((failure as LlmOsException)?.Code.ToString(), failure);
                await Task.Delay(Pause, clock, stoppingToken);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "The starter model could not be listed ({Code}); it is tried again")]
    private partial void LogFailed(string? code, Exception failure);
}
