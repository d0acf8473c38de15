using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace LlmOs.Server.Hosting;

/// <summary>
/// Tells the person at the terminal where the server is, its admin key the first time, and one line to try it with.
/// Written to standard output, never to the log.
/// </summary>
internal sealed class Banner(
    IServer server,
    IHostApplicationLifetime lifetime,
    IEnumerable<IReadinessCheck> checks,
    LlmOsSettings settings,
    FirstKey firstKey,
    TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>The text, once the addresses are known.</summary>
    internal static string Text(IReadOnlyCollection<string> addresses, string? firstKey, LlmOsSettings settings)
    {
        var address = addresses.First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);
        var key = firstKey ?? (settings.AdminKey is null ? "$LLMOS_KEY" : "$LLMOS_ADMIN_KEY");
        var header = settings.AuthOff ? "" : $" -H \"Authorization: Bearer {key}\"";
        string?[] lines =
        [
            "",
            $"LlmOs listens on {string.Join(", ", addresses)}",
            $"  API documentation  {address}/swagger",
            firstKey is null ? null : $"  Admin key          {firstKey}",
            firstKey is null ? null : "                     (shown this once; keep it)",
            settings.AuthOff ? "  Keys are off: whoever can use this machine can use this server." : null,
            "Try it:",
            $"  curl {address}/v1/completions{header} -H \"Content-Type: application/json\" -d '{{\"model\":\"starter\",\"prompt\":\"Once upon a time\",\"max_tokens\":40}}'",
            "",
        ];
        return string.Join(Environment.NewLine, lines.OfType<string>());
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(stoppingToken);

        // The line to try must work when it is pasted.
        while (!await ReadyAsync(stoppingToken))
        {
            await Task.Delay(LookInterval, clock, stoppingToken);
        }

        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        if (addresses.Count > 0)
        {
            Console.Out.WriteLine(Text([.. addresses], firstKey.Value, settings));
            firstKey.Value = null;
        }
    }

    private async Task<bool> ReadyAsync(CancellationToken cancel)
    {
        foreach (var check in checks)
        {
            if (await check.WhyNotAsync(cancel) is not null)
            {
                return false;
            }
        }

        return true;
    }
}
