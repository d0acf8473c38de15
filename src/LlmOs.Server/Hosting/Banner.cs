using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace LlmOs.Server.Hosting;

/// <summary>
/// Tells the person at the terminal where the server is, its admin key the first time, and one line to try it with.
/// Written to standard output, never to the log.
/// </summary>
internal sealed class Banner(IServer server, IEnumerable<IReadinessCheck> checks, LlmOsSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private string? _firstKey;

    private List<string> Addresses => [.. server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []];

    /// <summary>Shows the address. Call once it is bound.</summary>
    public void ShowAddress()
    {
        if (Addresses.Count > 0)
        {
            Console.Out.WriteLine(AddressText(Addresses, settings));
        }
    }

    public void ShowKey(string key)
    {
        _firstKey = key;
        Console.Out.WriteLine(KeyText(key));
    }

    /// <summary>Shows the line to try, once it works when it is pasted.</summary>
    public async Task ShowTryAsync(CancellationToken cancel)
    {
        while (!await ReadyAsync(cancel))
        {
            await Task.Delay(LookInterval, clock, cancel);
        }

        if (Addresses.Count > 0)
        {
            Console.Out.WriteLine(TryText(Addresses, _firstKey, settings));
            _firstKey = null;
        }
    }

    internal static string AddressText(IReadOnlyCollection<string> addresses, LlmOsSettings settings)
    {
        string?[] lines =
        [
            "",
            $"LlmOs listens on {string.Join(", ", addresses)}",
            $"  API documentation  {Reachable(addresses)}/swagger",
            settings.AuthOff ? "  Keys are off: whoever can use this machine can use this server." : null,
        ];
        return string.Join(Environment.NewLine, lines.OfType<string>());
    }

    internal static string KeyText(string key) => string.Join(
        Environment.NewLine,
        $"  Admin key          {key}",
        "                     (shown this once; keep it. Lost: llmos admin reset-key)");

    internal static string TryText(IReadOnlyCollection<string> addresses, string? firstKey, LlmOsSettings settings)
    {
        var key = firstKey ?? (settings.AdminKey is null ? "$LLMOS_KEY" : "$LLMOS_ADMIN_KEY");
        var header = settings.AuthOff ? "" : $" -H \"Authorization: Bearer {key}\"";
        return string.Join(
            Environment.NewLine,
            "Try it:",
            $"  curl {Reachable(addresses)}/v1/completions{header} -H \"Content-Type: application/json\" -d '{{\"model\":\"starter\",\"prompt\":\"Once upon a time\",\"max_tokens\":40}}'",
            "");
    }

    private static string Reachable(IReadOnlyCollection<string> addresses) =>
        addresses.First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal).Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal);

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
