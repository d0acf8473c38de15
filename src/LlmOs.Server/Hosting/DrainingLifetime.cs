using System.Runtime.InteropServices;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http.Streams;
using Microsoft.Extensions.Options;

namespace LlmOs.Server.Hosting;

/// <summary>
/// What happens on SIGTERM and Ctrl+C: from then on new work gets 503, running requests may end for a while, jobs are
/// given back, and the process ends with 0. A second signal does not wait.
/// </summary>
internal sealed partial class DrainingLifetime(
    HostDrain drain,
    RunningRequests requests,
    IOptions<StreamOptions> options,
    IHostApplicationLifetime lifetime,
    TimeProvider clock,
    ILogger<DrainingLifetime> log) : IHostLifetime, IDisposable
{
    /// <summary>How long those that are cut off may take to say so.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);

    private readonly List<PosixSignalRegistration> _signals = [];
    private int _asked;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        foreach (var signal in new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // else the runtime ends the process at once
                Ask();
            }));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _signals.ForEach(signal => signal.Dispose());

    private void Ask()
    {
        if (Interlocked.Increment(ref _asked) == 1)
        {
            _ = DrainAsync();
        }
        else
        {
            lifetime.StopApplication();
        }
    }

    private async Task DrainAsync()
    {
        try
        {
            LogDraining(requests.Count);
            drain.Begin();
            await requests.WhenNoneAsync(TimeSpan.FromSeconds(options.Value.StopSeconds), clock);
            if (requests.Count is > 0 and var left)
            {
                LogCutOff(left);
                drain.BeginCutOff();
                await requests.WhenNoneAsync(LastWords, clock);
            }
        }
        finally
        {
            lifetime.StopApplication();
        }
    }

    [LoggerMessage(LogLevel.Information, "Stopping: {Count} requests are being answered")]
    private partial void LogDraining(int count);

    [LoggerMessage(LogLevel.Information, "Stopping: {Count} requests are cut off")]
    private partial void LogCutOff(int count);
}

/// <summary>Counts the requests that are being answered.</summary>
internal sealed class RunningRequests
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _none;
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Enter()
    {
        lock (_gate)
        {
            _count++;
        }
    }

    public void Leave()
    {
        lock (_gate)
        {
            if (--_count == 0)
            {
                _none?.TrySetResult();
            }
        }
    }

    /// <summary>Waits until nothing is being answered, but no longer than <paramref name="max"/>.</summary>
    public async Task WhenNoneAsync(TimeSpan max, TimeProvider clock)
    {
        Task none;
        lock (_gate)
        {
            if (_count == 0)
            {
                return;
            }

            _none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            none = _none.Task;
        }

        await Task.WhenAny(none, Task.Delay(max, clock));
    }
}
