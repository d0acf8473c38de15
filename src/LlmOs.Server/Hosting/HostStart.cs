namespace LlmOs.Server.Hosting;

/// <summary>
/// The way from a bound address to a server that takes work: the database is brought to this version, a new one gets its
/// admin key, which is shown, and then what works in the background begins. Only when the address is bound does anything
/// change, so a start that fails for its address leaves nothing behind.
/// </summary>
/// <remarks>Should a part of the background work fail, the process ends, and not with 0: whoever started it can see that it must be started again.</remarks>
internal sealed partial class HostStart(
    DatabaseSetup database,
    Banner banner,
    StartGate gate,
    HostOutcome outcome,
    [FromKeyedServices(HostStart.Late)] IEnumerable<IHostedService> work,
    IHostApplicationLifetime lifetime,
    ILogger<HostStart> log) : BackgroundService
{
    /// <summary>The key of the services that begin once the database is ready.</summary>
    public const string Late = "late";

    private readonly List<IHostedService> _running = [];

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await Task.WhenAll(_running.Select(part => part.StopAsync(cancellationToken)));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var bound = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using (lifetime.ApplicationStarted.Register(bound.SetResult))
            {
                await bound.Task.WaitAsync(stoppingToken);
            }

            banner.ShowAddress();
            await database.RunAsync(banner.ShowKey, stoppingToken);
            gate.Open();
            foreach (var part in work)
            {
                _running.Add(part);
                await part.StartAsync(stoppingToken);
            }

            await WatchAsync([banner.ShowTryAsync(stoppingToken), .. _running.OfType<BackgroundService>().Select(part => part.ExecuteTask).OfType<Task>()], stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
        catch (Exception failure)
        {
            if (StartFailure.Of(failure) is null)
            {
                LogFailed(failure);
            }

            outcome.Failure = failure;
            lifetime.StopApplication();
        }
    }

    /// <summary>Ends when the first part fails; a part that has nothing left to do just ends.</summary>
    private static async Task WatchAsync(List<Task> parts, CancellationToken stop)
    {
        while (parts.Count > 0)
        {
            var ended = await Task.WhenAny(parts).WaitAsync(stop);
            parts.Remove(ended);
            await ended; // throws what it ended with
        }
    }

    [LoggerMessage(LogLevel.Critical, "The server ends: a part of it failed")]
    private partial void LogFailed(Exception failure);
}

/// <summary>Closed until work can be taken.</summary>
internal sealed class StartGate : Infrastructure.Http.IReadinessCheck
{
    public bool IsOpen { get; private set; }

    public void Open() => IsOpen = true;

    public Task<string?> WhyNotAsync(CancellationToken cancel) => Task.FromResult(IsOpen ? null : "the database is being prepared");
}

/// <summary>Why the process ends, where it was not asked to.</summary>
internal sealed class HostOutcome
{
    /// <summary>Null: it was asked to.</summary>
    public Exception? Failure { get; set; }
}
