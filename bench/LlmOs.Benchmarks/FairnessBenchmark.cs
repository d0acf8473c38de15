using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;

namespace LlmOs.Benchmarks;

/// <summary>
/// What one caller does to another: the time to the first token of a short chat each second while another key keeps 32 long prompts
/// under way, and the time of one text's embedding while another key embeds 2,048 of them, against the same on an idle server.
/// </summary>
internal static class FairnessBenchmark
{
    private const int Rounds = 3;
    private const int Chats = 12;
    private const int Texts = 20;
    private const int LongPrompts = 32;
    private const int ManyTexts = 2_048;

    /// <param name="serverDll">The built LlmOs.Server.dll.</param>
    /// <param name="shared">The folder of reference models.</param>
    public static async Task RunAsync(string serverDll, string shared, CancellationToken cancel)
    {
        var models = Path.Combine(shared, "models");
        await using var server = await BenchServer.StartAsync(serverDll, cancel, models);
        await ImportAsync(server, $"file:{models}/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf", "chat", "int4", cancel);
        await ImportAsync(server, $"file:{models}/all-minilm-l6-v2", "texts", "f32", cancel);
        using var flood = await server.CallerAsync("flood", cancel);
        using var other = await server.CallerAsync("other", cancel);
        var report = new Report("fairness", "A caller of short requests beside one who floods", "95th percentile beside a flood", "95th percentile on an idle server", "ms", moreIsBetter: false);
        await CompareAsync(report, "first token of a short chat each second, beside 32 long prompts", token => FloodPromptsAsync(flood, token), () => ChatsAsync(other, cancel), cancel);
        await CompareAsync(report, "the embedding of one text, beside 2,048", token => FloodTextsAsync(flood, token), () => TextsAsync(other, cancel), cancel);
        await report.SaveAsync(cancel);
    }

    private static async Task CompareAsync(Report report, string name, Func<CancellationToken, Task> flood, Func<Task<double[]>> measure, CancellationToken cancel)
    {
        List<double> busy = [], idle = [];
        for (var round = -1; round < Rounds; round++)
        {
            var quiet = await measure();
            double[] beside;
            using (var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            {
                var flooding = flood(stop.Token);
                await Task.Delay(TimeSpan.FromSeconds(3), cancel); // every slot is taken by then
                beside = await measure();
                await stop.CancelAsync();
                await flooding;
            }

            if (round >= 0)
            {
                // The first round warms both.
                busy.Add(Report.Percentile(beside, 0.95));
                idle.Add(Report.Percentile(quiet, 0.95));
            }
        }

        report.Add(name, busy, idle);
    }

    private static Task FloodPromptsAsync(HttpClient http, CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, LongPrompts).Select(async caller =>
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var prompt = string.Create(CultureInfo.InvariantCulture, $"Report {caller} of day {i}. ")
                + string.Concat(Enumerable.Range(0, 60).Select(n => string.Create(CultureInfo.InvariantCulture, $"On day {n} the ship was {n * 37 % 101} miles from the coast. ")));
            await SendAsync(http, "/v1/completions", new { model = "chat", prompt, max_tokens = 64, temperature = 0 }, stop);
        }
    }));

    private static async Task FloodTextsAsync(HttpClient http, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var input = Enumerable.Range(0, ManyTexts).Select(n => string.Create(CultureInfo.InvariantCulture, $"On day {n} of year {i} the ship was {n * 37 % 101} miles from the coast and nobody knew why."));
            await SendAsync(http, "/v1/embeddings", new { model = "texts", input }, stop);
        }
    }

    /// <summary>A request of the flood; it is cut off when the measurement is over.</summary>
    /// <exception cref="InvalidOperationException">It was refused: there is no flood then.</exception>
    private static async Task SendAsync(HttpClient http, string path, object body, CancellationToken stop)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(path, body, stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            if (!answer.IsSuccessStatusCode)
            {
                throw new InvalidOperationException($"The flood was refused: {text}");
            }
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }

    private static async Task<double[]> ChatsAsync(HttpClient http, CancellationToken cancel)
    {
        var times = new double[Chats];
        for (var i = 0; i < Chats; i++)
        {
            var content = string.Create(CultureInfo.InvariantCulture, $"Question {Guid.NewGuid().GetHashCode() % 1000}: what is the capital of France?");
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = JsonContent.Create(new { model = "chat", messages = new[] { new { role = "user", content } }, max_tokens = 8, temperature = 0, stream = true }),
            };
            var begin = Stopwatch.GetTimestamp();
            using var response = (await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel)).EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancel));
            while (await reader.ReadLineAsync(cancel) is { } line && !HasText(line))
            {
                // The role, comments and blank lines come before the first token.
            }

            times[i] = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            await reader.ReadToEndAsync(cancel);
            await Task.Delay(TimeSpan.FromSeconds(1) - Min(Stopwatch.GetElapsedTime(begin), TimeSpan.FromSeconds(1)), cancel);
        }

        return times;
    }

    private static bool HasText(string line) =>
        line.StartsWith("data: {", StringComparison.Ordinal)
        && System.Text.Json.JsonDocument.Parse(line["data: ".Length..]).RootElement.GetProperty("choices") is { } choices
        && choices.GetArrayLength() > 0
        && choices[0].GetProperty("delta").TryGetProperty("content", out var content)
        && content.GetString() is { Length: > 0 };

    private static async Task<double[]> TextsAsync(HttpClient http, CancellationToken cancel)
    {
        var times = new double[Texts];
        for (var i = 0; i < Texts; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            using var answer = (await http.PostAsJsonAsync("/v1/embeddings", new { model = "texts", input = $"Where was the ship on day {i}?" }, cancel)).EnsureSuccessStatusCode();
            await answer.Content.ReadAsByteArrayAsync(cancel);
            times[i] = Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
            await Task.Delay(100, cancel);
        }

        return times;
    }

    private static async Task ImportAsync(BenchServer server, string source, string name, string precision, CancellationToken cancel)
    {
        var made = await server.PostAsync("/api/v1/models/import", new { source, name, precision }, cancel);
        var id = made.GetProperty("job").GetProperty("id").GetString();
        while (await server.GetAsync($"/api/v1/jobs/{id}?wait=30", cancel) is var job && job.GetProperty("state").GetString() != "succeeded")
        {
            if (job.GetProperty("state").GetString() is "failed" or "cancelled")
            {
                throw new InvalidOperationException($"The import of {name} ended: {job}");
            }
        }
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
