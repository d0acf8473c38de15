using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;

namespace LlmOs.Benchmarks;

/// <summary>
/// What a training job at low priority does to those who use the server: time to the first streamed token of the starter while
/// one trains on every core, against the same server with the job paused. Rounds alternate.
/// </summary>
internal static class WhileTrainingBenchmark
{
    private const int Rounds = 5;
    private const int Requests = 40;

    public static async Task RunAsync(string serverDll, CancellationToken cancel)
    {
        await using var server = await BenchServer.StartAsync(serverDll, cancel);
        var job = await StartTrainingAsync(server, cancel);
        List<double> training = [], idle = [], trainingMedian = [], idleMedian = [];
        for (var round = -1; round < Rounds; round++)
        {
            var busy = await MeasureAsync(server, cancel);
            await server.PostAsync($"/api/v1/jobs/{job}/pause", null, cancel);
            await UntilAsync(server, job, "paused", cancel);
            var quiet = await MeasureAsync(server, cancel);
            await server.PostAsync($"/api/v1/jobs/{job}/resume", null, cancel);
            await UntilStepsAsync(server, job, cancel);
            if (round < 0)
            {
                continue; // warms both
            }

            training.Add(Report.Percentile(busy, 0.95));
            idle.Add(Report.Percentile(quiet, 0.95));
            trainingMedian.Add(Report.Percentile(busy, 0.5));
            idleMedian.Add(Report.Percentile(quiet, 0.5));
        }

        await server.PostAsync($"/api/v1/jobs/{job}/cancel", null, cancel);
        var report = new Report("while-training", "Time to the first streamed token while a job trains at low priority", "a job trains on every core", "the job is paused", "ms", moreIsBetter: false);
        report.Add("95th percentile", training, idle);
        report.Add("median", trainingMedian, idleMedian);
        await report.SaveAsync(cancel);
    }

    private static async Task<string> StartTrainingAsync(BenchServer server, CancellationToken cancel)
    {
        var text = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, "text.txt");
        await File.WriteAllTextAsync(text, string.Concat(Enumerable.Range(0, 20_000).Select(i => string.Create(CultureInfo.InvariantCulture, $"The cat number {i * 37 % 1009} sat on mat {i * 53 % 997}.\n"))), cancel);
        var job = await server.PostAsync(
            "/api/v1/training",
            new
            {
                name = "load",
                text = $"file:{text}",
                tokenizer = new { train = "bpe", vocabulary = 1024 },
                architecture = new { type = "llama", layers = 6, hidden = 384, heads = 6, kv_heads = 3, intermediate = 1024, context = 256 },
                budget = new { steps = 1_000_000 },
                batch_tokens = 2048,
                samples = Array.Empty<string>(),
            },
            cancel);
        var id = job.GetProperty("job").GetProperty("id").GetString()!;
        await UntilStepsAsync(server, id, cancel);
        return id;
    }

    /// <summary>Waits until the trainer takes steps.</summary>
    private static async Task UntilStepsAsync(BenchServer server, string job, CancellationToken cancel)
    {
        var first = await StepAsync(server, job, cancel);
        while (await StepAsync(server, job, cancel) is var step && (step < 0 || step == first))
        {
            first = first < 0 ? step : first;
            await Task.Delay(100, cancel);
        }
    }

    private static async Task<int> StepAsync(BenchServer server, string job, CancellationToken cancel)
    {
        var view = await server.GetAsync($"/api/v1/jobs/{job}", cancel);
        return view.GetProperty("state").GetString() switch
        {
            "failed" or "succeeded" or "cancelled" => throw new InvalidOperationException($"The training ended: {view}"),
            "running" when view.GetProperty("metrics").TryGetProperty("step", out var step) => step.GetInt32(),
            _ => -1,
        };
    }

    private static async Task UntilAsync(BenchServer server, string job, string state, CancellationToken cancel)
    {
        while ((await server.GetAsync($"/api/v1/jobs/{job}", cancel)).GetProperty("state").GetString() != state)
        {
            await Task.Delay(100, cancel);
        }
    }

    /// <summary>Milliseconds to the first token, request after request, each with a beginning of its own.</summary>
    private static async Task<double[]> MeasureAsync(BenchServer server, CancellationToken cancel)
    {
        var times = new double[Requests];
        for (var i = 0; i < Requests; i++)
        {
            var prompt = $"Tale {Guid.NewGuid():n}: once upon a time there was a king who had three sons, and the youngest of them";
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = JsonContent.Create(new { model = "starter", prompt, max_tokens = 1, temperature = 0, stream = true }) };
            var begin = Stopwatch.GetTimestamp();
            using var response = (await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)).EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
            await reader.ReadLineAsync(cancel);
            times[i] = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            await reader.ReadToEndAsync(cancel);
            await Task.Delay(20, cancel); // people do not ask in a closed ring
        }

        return times;
    }
}
