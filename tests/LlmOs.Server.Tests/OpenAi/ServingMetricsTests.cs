using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary><c>/metrics</c> says what requests did, in Prometheus's format and vLLM's words.</summary>
public sealed partial class ServingMetricsTests(FewSlotsServer server) : IClassFixture<FewSlotsServer>
{
    private const string Completions = "/v1/completions";
    private const string Model = $"{FewSlotsServer.Stories}:1";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_are_counted_under_their_model_with_vLLMs_meanings()
    {
        using var client = await server.ReadyAsync();
        var prompt = Enumerable.Range(0, 150).Select(i => (i * 11 % 400) + 3).ToArray();
        await client.PostJsonAsync($"/api/v1/models/{FewSlotsServer.Stories}/load", new { });
        var before = await FiguresAsync(client);

        await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt, max_tokens = 5, min_tokens = 5, temperature = 0 });
        var again = await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt, max_tokens = 8, min_tokens = 8, temperature = 0 });
        var after = await FiguresAsync(client);

        var cached = again.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        Assert.True(cached >= 64);
        Assert.Equal(300, Grown("llmos_prompt_tokens_total"));
        Assert.Equal(13, Grown("llmos_generation_tokens_total"));
        Assert.Equal(300, Grown("llmos_prefix_cache_queries_total"));
        Assert.Equal(cached, Grown("llmos_prefix_cache_hits_total"));
        Assert.Equal(2, Grown("llmos_request_success_total", "finished_reason=\"length\""));
        Assert.Equal(2, Grown("llmos_time_to_first_token_seconds_count"));
        Assert.Equal(11, Grown("llmos_inter_token_latency_seconds_count")); // 4 and 7 gaps
        Assert.Equal(2, Grown("llmos_e2e_request_latency_seconds_count"));
        Assert.Equal(2, Grown("llmos_request_time_per_output_token_seconds_count"));
        Assert.Equal(300, Grown("llmos_request_prompt_tokens_sum"));
        Assert.Equal(13, Grown("llmos_request_generation_tokens_sum"));

        // Every token that was run is in a step: prompts without what was found, and all tokens of a reply but its last.
        Assert.Equal(300 - cached + 11, Grown("llmos_iteration_tokens_sum"));
        Assert.Equal(Grown("llmos_iteration_tokens_count"), Grown("llmos_batch_size_count"));

        // The parts of the time are the whole, but for what a float loses.
        Assert.Equal(
            Grown("llmos_e2e_request_latency_seconds_sum"),
            Grown("llmos_request_queue_time_seconds_sum") + Grown("llmos_request_prefill_time_seconds_sum") + Grown("llmos_request_decode_time_seconds_sum"),
            1e-6);
        await UntilAsync(client, now => now.Of("llmos_num_requests_running") + now.Of("llmos_num_requests_waiting") == 0);
        Assert.True(after.Of("llmos_model_memory_bytes") > 1 << 20);
        Assert.True(after.Of("llmos_model_load_time_seconds_count") >= 1);

        double Grown(string name, string label = "") => after.Of(name, label) - before.Of(name, label);
    }

    [Fact]
    public async Task What_is_under_way_shows_and_one_that_left_is_not_one_that_stopped()
    {
        using var client = await server.ReadyAsync();
        var before = await FiguresAsync(client);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancel);

        // More than is written before anybody can look: sixteen replies at a time for four slots.
        var many = client.PostAsync(
            Completions,
            Json.Body(new { model = FewSlotsServer.Stories, prompt = Enumerable.Repeat("Once upon a time", 2048), n = 64, max_tokens = 400, min_tokens = 400 }),
            leaving.Token);
        var busy = await UntilAsync(client, now => now.Of("llmos_num_requests_running") > 0 && now.Of("llmos_num_requests_waiting") > 0 && now.Of("llmos_kv_cache_usage_perc") > 0);
        Assert.InRange(busy.Of("llmos_kv_cache_usage_perc"), double.Epsilon, 1);
        Assert.True(busy.Of("llmos_kv_cache_bytes") > 0);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => many);
        await UntilAsync(client, now => Aborted(now) > Aborted(before) && now.Of("llmos_num_requests_running") + now.Of("llmos_num_requests_waiting") == 0);

        // A stop text ends a reply from outside of the engine.
        var text = (await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "Once upon a time", max_tokens = 40, temperature = 0 })).GetProperty("choices")[0].GetProperty("text").GetString()!;
        var middle = await FiguresAsync(client);
        await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "Once upon a time", max_tokens = 40, temperature = 0, stop = text.Trim().Split(' ')[2] });
        var after = await FiguresAsync(client);

        Assert.Equal(1, after.Of("llmos_request_success_total", "finished_reason=\"stop\"") - middle.Of("llmos_request_success_total", "finished_reason=\"stop\""));
        Assert.Equal(Aborted(middle), Aborted(after));

        static double Aborted(Figures figures) => figures.Of("llmos_request_success_total", "finished_reason=\"abort\"");
    }

    [Fact]
    public async Task An_unloaded_model_is_counted_with_the_reason_and_shows_no_load_any_more()
    {
        using var client = await server.ReadyAsync();
        await client.PostJsonAsync($"/api/v1/models/{FewSlotsServer.Translator}/load", new { });
        using var unload = await client.PostAsync($"/api/v1/models/{FewSlotsServer.Translator}/unload", content: null, Cancel);

        var name = $"{FewSlotsServer.Translator}:1";
        await UntilAsync(client, now => now.Of("llmos_model_unloads_total", "reason=\"asked\"", name) == 1 && !now.Has("llmos_model_memory_bytes", name));
    }

    [Fact]
    public async Task The_recording_rules_map_figures_that_there_are_and_buckets_are_vLLMs()
    {
        using var client = await server.ReadyAsync();
        await client.PostJsonAsync(Completions, new { model = FewSlotsServer.Stories, prompt = "Once", max_tokens = 2, min_tokens = 2 });

        // Two readers of one model preempt nobody, so that figure has no value yet.
        var figures = await FiguresAsync(client);
        var rules = await File.ReadAllTextAsync(Path.Combine(SharedFolder.Repository, "samples", "prometheus", "vllm-rules.yaml"), Cancel);
        var mapped = Rule().Matches(rules).Select(rule => rule.Groups[1].Value).ToList();

        Assert.True(mapped.Count > 40);
        Assert.DoesNotContain(mapped.Except(["llmos_num_preemptions_total"]), name => !figures.Has(name));
        Assert.Equal(
            ["0.001", "0.005", "0.01", "0.02", "0.04", "0.06", "0.08", "0.1", "0.25", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "20", "40", "80", "160", "640", "2560", "+Inf"],
            figures.Bounds("llmos_time_to_first_token_seconds_bucket"));
        Assert.Equal(
            ["0.01", "0.025", "0.05", "0.075", "0.1", "0.15", "0.2", "0.3", "0.4", "0.5", "0.75", "1", "2.5", "5", "7.5", "10", "20", "40", "80", "+Inf"],
            figures.Bounds("llmos_inter_token_latency_seconds_bucket"));
    }

    [Fact]
    public async Task Figures_are_for_those_who_may_look()
    {
        using var admin = await server.ReadyAsync();
        using var nobody = server.Client(key: null);
        using var caller = await server.CallerAsync();
        using var made = await admin.PostAsync("/api/v1/keys", Json.Body(new { name = "prometheus", scopes = new[] { "read" } }), Cancel);
        using var reader = server.Client(Json.Parse(await made.Content.ReadAsStringAsync(Cancel)).GetProperty("key").GetString());

        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.OK],
            new[] { await StatusAsync(nobody), await StatusAsync(caller), await StatusAsync(reader) });

        static async Task<HttpStatusCode> StatusAsync(HttpClient client)
        {
            using var answer = await client.GetAsync("/metrics", Cancel);
            return answer.StatusCode;
        }
    }

    private static async Task<Figures> UntilAsync(HttpClient client, Predicate<Figures> isSo)
    {
        for (var i = 0; ; i++)
        {
            var now = await FiguresAsync(client);
            if (isSo(now))
            {
                return now;
            }

            Assert.True(i < 600, $"it never came to be:\n{now.Text}");
            await Task.Delay(100, Cancel);
        }
    }

    private static async Task<Figures> FiguresAsync(HttpClient client)
    {
        using var answer = await client.GetAsync("/metrics", Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("text/plain", answer.Content.Headers.ContentType?.ToString(), StringComparison.Ordinal);
        return new Figures(await answer.Content.ReadAsStringAsync(Cancel));
    }

    [GeneratedRegex(@"expr: (\w+)")]
    private static partial Regex Rule();

    /// <summary>A page of figures, read as its format says.</summary>
    private sealed partial class Figures(string text)
    {
        private readonly List<(string Name, string Labels, double Value)> _lines = [.. text.Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line =>
        {
            var parts = Line().Match(line);
            Assert.True(parts.Success, line);
            var value = parts.Groups[3].Value;
            return (parts.Groups[1].Value, parts.Groups[2].Value, value == "+Inf" ? double.PositiveInfinity : double.Parse(value, CultureInfo.InvariantCulture));
        })];

        public string Text => text;

        public bool Has(string name, string model = Model) => Of(name, model).Count > 0;

        /// <summary>The sum of a figure of a model; 0 where there is none.</summary>
        public double Of(string name, string label = "", string model = Model) => Of(name, model).Where(line => line.Labels.Contains(label, StringComparison.Ordinal)).Sum(line => line.Value);

        public IEnumerable<string> Bounds(string name) => Of(name, Model).Select(line => Bound().Match(line.Labels).Groups[1].Value);

        private List<(string Name, string Labels, double Value)> Of(string name, string model) =>
            _lines.FindAll(line => line.Name == name && line.Labels.Contains($"model_name=\"{model}\"", StringComparison.Ordinal));

        [GeneratedRegex(@"^(\w+)(?:\{(.*)\})? (\S+)(?: \d+)?$")]
        private static partial Regex Line();

        [GeneratedRegex("le=\"([^\"]+)\"")]
        private static partial Regex Bound();
    }
}
