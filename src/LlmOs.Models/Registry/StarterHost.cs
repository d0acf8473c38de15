using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LlmOs.Models.Registry;

/// <summary>Lists the shipped starter when the host starts; the host counts as ready once that is done.</summary>
/// <remarks>The database is migrated before hosted services start.</remarks>
internal sealed partial class StarterHost(StarterRegistration starter, ILogger<StarterHost> log) : BackgroundService, IReadinessCheck
{
    private volatile string? _whyNot = "the starter model is not listed yet";

    public Task<string?> WhyNotAsync(CancellationToken cancel) => Task.FromResult(_whyNot);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await starter.RegisterAsync(StarterRegistration.FindFolder(AppContext.BaseDirectory), stoppingToken);
            _whyNot = null;
        }
        catch (LlmOsException refusal)
        {
            _whyNot = "the starter model could not be listed; the log says why";
            LogFailed(refusal.Code.ToString(), refusal.Message);
        }
    }

    [LoggerMessage(LogLevel.Error, "The starter model could not be listed: {Code}: {Message}")]
    private partial void LogFailed(string code, string message);
}
