using System.Net;
using LlmOs.Contracts;

namespace LlmOs.Cli;

/// <summary>The server that <c>LLMOS_URL</c> and <c>LLMOS_KEY</c> name, and one place where its failures become words and exit codes.</summary>
internal static class Connection
{
    public const string DefaultAddress = "http://127.0.0.1:8080";

    /// <summary>Runs a command against the server; failures are written to standard error.</summary>
    public static async Task<int> RunAsync(Interrupts interrupts, Func<LlmOsClient, CancellationToken, Task<int>> command)
    {
        var address = Environment.GetEnvironmentVariable("LLMOS_URL") is { Length: > 0 } stated ? stated : DefaultAddress;
        var key = Environment.GetEnvironmentVariable("LLMOS_KEY");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
        {
            return Fail(ExitCode.Usage, $"LLMOS_URL is '{address}', which is not an address such as {DefaultAddress}.");
        }

        using var client = LlmOsClient.Create(uri, key);
        try
        {
            return await command(client, interrupts.Token);
        }
        catch (OperationCanceledException) when (interrupts.Token.IsCancellationRequested)
        {
            return ExitCode.Interrupted;
        }
        catch (UsageException e)
        {
            return Fail(ExitCode.Usage, e.Message);
        }
        catch (LlmOsApiException e)
        {
            return Fail(ExitCode.Refused, Describe(e, hasKey: !string.IsNullOrEmpty(key)));
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError)
        {
            return Fail(ExitCode.Unreachable, $"No server answers at {uri}. Start one with 'llmos serve', or set LLMOS_URL.");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Fail(ExitCode.Unreachable, e.Message);
        }
    }

    /// <summary>A refusal as lines for a person.</summary>
    public static string Describe(LlmOsApiException e, bool hasKey)
    {
        var lines = new List<string> { e.Message };
        lines.AddRange(e.Fields.Where(f => !e.Message.Contains(f.Value, StringComparison.Ordinal)).Select(f => $"  {f.Key}: {f.Value}"));
        if (e.Status == HttpStatusCode.Unauthorized)
        {
            lines.Add(hasKey ? "LLMOS_KEY is set, but the server does not know that key." : "Set LLMOS_KEY to a key of the server; it prints the admin key at its first start.");
        }

        if ((int)e.Status >= 500 && e.RequestId is { } id)
        {
            lines.Add($"The server's log has more under request {id}.");
        }

        return string.Join(Environment.NewLine, lines);
    }

    public static int Fail(int code, string message)
    {
        Console.Error.WriteLine($"llmos: {message}");
        return code;
    }
}
