using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace LlmOs.Benchmarks;

/// <summary>A built server in a folder of its own, ready to answer; gone with everything in it when disposed.</summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private const string Key = "benchmark-key-0123456789abcdef";
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly Task _drained;

    private BenchServer(Process process, string data, HttpClient http)
    {
        (_process, Data, Http) = (process, data, http);
        _drained = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
    }

    public string Data { get; }

    public HttpClient Http { get; }

    /// <param name="importDirs">Where models may be imported from; null: the data folder's own.</param>
    public static async Task<BenchServer> StartAsync(string serverDll, CancellationToken cancel, string? importDirs = null)
    {
        var data = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        var url = $"http://127.0.0.1:{FreePort()}";
        var start = new ProcessStartInfo("dotnet", [serverDll, "--urls", url]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["LLMOS_DATA"] = data;
        start.Environment["LLMOS_ADMIN_KEY"] = Key;
        start.Environment["LLMOS_DATABASE"] = "";
        start.Environment["LLMOS_IMPORT_DIRS"] = importDirs;
        var http = ClientOf(new Uri(url), Key);
        var server = new BenchServer(Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start."), data, http);
        var begin = Stopwatch.GetTimestamp();
        while (!await server.IsReadyAsync(cancel))
        {
            if (server._process.HasExited || Stopwatch.GetElapsedTime(begin) > StartLimit)
            {
                await server.DisposeAsync();
                throw new InvalidOperationException($"'{serverDll}' did not become ready.");
            }

            await Task.Delay(50, cancel);
        }

        return server;
    }

    /// <summary>A client with a key of its own: another caller.</summary>
    public async Task<HttpClient> CallerAsync(string name, CancellationToken cancel)
    {
        var made = await PostAsync("/api/v1/keys", new { name, scopes = new[] { "inference" } }, cancel);
        return ClientOf(Http.BaseAddress!, made.GetProperty("key").GetString()!);
    }

    private static HttpClient ClientOf(Uri address, string key)
    {
        var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromMinutes(10) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http;
    }

    public async Task<JsonElement> GetAsync(string path, CancellationToken cancel) => await Http.GetFromJsonAsync<JsonElement>(path, cancel);

    public async Task<JsonElement> PostAsync(string path, object? body, CancellationToken cancel)
    {
        using var answer = body is null ? await Http.PostAsync(path, null, cancel) : await Http.PostAsJsonAsync(path, body, cancel);
        var text = await answer.Content.ReadAsStringAsync(cancel);
        return answer.IsSuccessStatusCode ? JsonSerializer.Deserialize<JsonElement>(text) : throw new InvalidOperationException($"{path}: {text}");
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        await _process.WaitForExitAsync(CancellationToken.None); // a killed process ends
        await _drained;
        _process.Dispose();
        Directory.Delete(Data, recursive: true);
    }

    private async Task<bool> IsReadyAsync(CancellationToken cancel)
    {
        try
        {
            using var answer = await Http.GetAsync("/readyz", cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
