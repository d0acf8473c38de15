using System.Net;
using LlmOs.Infrastructure;

namespace LlmOs.Server.Hosting;

/// <summary>Where the server listens, and that keys are only switched off where nobody else can reach it.</summary>
internal static class Addresses
{
    private const string Default = "http://127.0.0.1:8080";

    public static void UseAddresses(this WebApplicationBuilder builder, LlmOsSettings settings)
    {
        var stated = Stated(builder.Configuration);
        if (stated.Count == 0)
        {
            builder.WebHost.UseUrls(Default);
            stated = [Default];
        }

        foreach (var address in stated)
        {
            if (!TryHost(address, out var host))
            {
                throw new SettingException("ASPNETCORE_URLS", $"'{address}' is not an address; write http://HOST:PORT with a port of 0 to 65535.");
            }

            if (settings.AuthOff && !IsLoopback(host))
            {
                throw new SettingException("LLMOS_AUTH", $"off is allowed on loopback addresses only, and the server is to listen on '{address}'.");
            }
        }
    }

    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    /// <summary>As the web server takes them: endpoints of its own section before urls, urls before ports.</summary>
    private static List<string> Stated(ConfigurationManager configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"]).OfType<string>().ToList();
        if (endpoints.Count > 0)
        {
            return endpoints;
        }

        if (configuration["urls"] is { Length: > 0 } urls)
        {
            return [.. urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        }

        return [.. Ports("http_ports", "http"), .. Ports("https_ports", "https")];

        IEnumerable<string> Ports(string setting, string scheme) =>
            (configuration[setting] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(port => $"{scheme}://*:{port}");
    }

    private static bool TryHost(string address, out string host)
    {
        try
        {
            var parsed = BindingAddress.Parse(address);
            host = parsed.Host;
            return parsed.Scheme is "http" or "https" && parsed.Port is >= 0 and <= ushort.MaxValue;
        }
        catch (FormatException)
        {
            host = "";
            return false;
        }
    }
}
