using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Benchmarks;

/// <summary>Process start to the first streamed token of the starter, against the least an ASP.NET Core process takes to answer anything.</summary>
internal static class FirstTokenBenchmark
{
    private const int Rounds = 7;
    private const string Key = "benchmark-key-0123456789abcdef";

    public static async Task RunAsync(string serverDll, CancellationToken cancel)
    {
        var report = new Report("first-token", "Process start to the first streamed token of the starter", "LlmOs", "bare ASP.NET Core process to its first answer", "ms", moreIsBetter: false);
        List<double> first = [], firstPeer = [], next = [], nextPeer = [];
        for (var round = 0; round < Rounds; round++)
        {
            var data = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
            try
            {
                first.Add(await TimeAsync([serverDll], data, "/v1/completions", cancel));
                firstPeer.Add(await TimeAsync([typeof(FirstTokenBenchmark).Assembly.Location, "bare-server"], data, "/", cancel));
                next.Add(await TimeAsync([serverDll], data, "/v1/completions", cancel));
                nextPeer.Add(await TimeAsync([typeof(FirstTokenBenchmark).Assembly.Location, "bare-server"], data, "/", cancel));
            }
            finally
            {
                Directory.Delete(data, recursive: true);
            }
        }

        report.Add("first start: empty data folder", first, firstPeer);
        report.Add("later starts", next, nextPeer);
        await report.SaveAsync(cancel);
    }

    /// <summary>One route on Kestrel and nothing else.</summary>
    public static async Task BareServerAsync(string url)
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        app.MapGet("/", () => Results.Text("ok"));
        await app.RunAsync(url);
    }

    private static async Task<double> TimeAsync(string[] arguments, string data, string path, CancellationToken cancel)
    {
        var url = $"http://127.0.0.1:{FreePort()}";
        var bare = arguments.Length > 1;
        var start = new ProcessStartInfo("dotnet", bare ? [.. arguments, url] : [.. arguments, "--urls", url])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["LLMOS_DATA"] = data;
        start.Environment["LLMOS_ADMIN_KEY"] = Key;
        start.Environment["LLMOS_DATABASE"] = "";
        var begin = Stopwatch.GetTimestamp();
        using var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        var drained = Task.WhenAll(process.StandardOutput.ReadToEndAsync(cancel), process.StandardError.ReadToEndAsync(cancel));
        using var http = new HttpClient { BaseAddress = new Uri(url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        try
        {
            while (true)
            {
                if (process.HasExited || Stopwatch.GetElapsedTime(begin) > TimeSpan.FromMinutes(2))
                {
                    throw new InvalidOperationException($"'{arguments[0]}' gave no answer: {string.Concat(await drained)}");
                }

                if (await AnsweredAsync(http, bare, path, cancel))
                {
                    return Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
                }

                await Task.Delay(5, cancel);
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(cancel);
        }
    }

    /// <summary>True once an answer's first line of data has been read; false while nobody listens or the server is not ready.</summary>
    private static async Task<bool> AnsweredAsync(HttpClient http, bool bare, string path, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(bare ? HttpMethod.Get : HttpMethod.Post, path);
        if (!bare)
        {
            request.Content = new StringContent("""{"model":"starter","prompt":"Once upon a time","max_tokens":1,"temperature":0,"stream":true}""", Encoding.UTF8, "application/json");
        }

        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (response.StatusCode != HttpStatusCode.OK)
            {
                return false;
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
            return !string.IsNullOrEmpty(await reader.ReadLineAsync(cancel));
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
