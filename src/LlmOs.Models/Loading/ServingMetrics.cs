using System.Diagnostics.Metrics;
using LlmOs.Contracts;
using LlmOs.Engine;

namespace LlmOs.Models.Loading;

/// <summary>
/// The figures of serving, by model. Names, meanings and buckets are vLLM's (v1/metrics/loggers.py) with <c>llmos_</c> for
/// <c>vllm:</c>, so that its dashboards can be used; the exporter adds <c>_total</c> and units.
/// </summary>
internal sealed class ServingMetrics
{
    private const string ModelLabel = "model_name";

    private static readonly double[] FirstToken = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];
    private static readonly double[] NextToken = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];
    private static readonly double[] Latency = [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];
    private static readonly int[] StepTokens = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];
    private static readonly int[] Batch = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    private static readonly int[] Tokens = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];

    private readonly Meter _meter;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _nextToken;
    private readonly Histogram<double> _perToken;
    private readonly Histogram<double> _whole;
    private readonly Histogram<double> _queue;
    private readonly Histogram<double> _prefill;
    private readonly Histogram<double> _decode;
    private readonly Histogram<double> _load;
    private readonly Histogram<int> _stepTokens;
    private readonly Histogram<int> _batch;
    private readonly Histogram<int> _requestPrompt;
    private readonly Histogram<int> _requestGenerated;
    private readonly Counter<long> _prompt;
    private readonly Counter<long> _generated;
    private readonly Counter<long> _queries;
    private readonly Counter<long> _hits;
    private readonly Counter<long> _preemptions;
    private readonly Counter<long> _ends;
    private readonly Counter<long> _faults;
    private readonly Counter<long> _failedLoads;
    private readonly Counter<long> _unloads;

    public ServingMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(ServingMeter.Name);
        _firstToken = Seconds("llmos_time_to_first_token", FirstToken, "From a request's arrival in the engine to its first token.");
        _nextToken = Seconds("llmos_inter_token_latency", NextToken, "From one token of a request to the next.");
        _perToken = Seconds("llmos_request_time_per_output_token", NextToken, "Mean time of a request's tokens after the first; of requests with at least two.");
        _whole = Seconds("llmos_e2e_request_latency", Latency, "From a request's arrival in the engine to its end.");
        _queue = Seconds("llmos_request_queue_time", Latency, "From arrival to the first step.");
        _prefill = Seconds("llmos_request_prefill_time", Latency, "From the first step to the first token.");
        _decode = Seconds("llmos_request_decode_time", Latency, "From the first token to the last.");
        _load = Seconds("llmos_model_load_time", Latency, "Loading a model, its checks among it.");
        _stepTokens = Counts("llmos_iteration_tokens", StepTokens, "Tokens of a step, of prompts and replies.");
        _batch = Counts("llmos_batch_size", Batch, "Sequences of a step.");
        _requestPrompt = Counts("llmos_request_prompt_tokens", Tokens, "Prompt tokens of a request.");
        _requestGenerated = Counts("llmos_request_generation_tokens", Tokens, "Tokens that a request made.");
        _prompt = Counter("llmos_prompt_tokens", "Prompt tokens read, those from the cache among them.");
        _generated = Counter("llmos_generation_tokens", "Tokens made.");
        _queries = Counter("llmos_prefix_cache_queries", "Prompt tokens that were looked for in the cache.");
        _hits = Counter("llmos_prefix_cache_hits", "Those of them that were found.");
        _preemptions = Counter("llmos_num_preemptions", "Requests that gave their slots up for others, to go on later.");
        _ends = Counter("llmos_request_success", "Requests that ended, by how: stop, length, abort, error.");
        _faults = Counter("llmos_engine_faults", "Faults of an engine.");
        _failedLoads = Counter("llmos_model_load_failures", "Requests for which a model could not be loaded, by code.");
        _unloads = Counter("llmos_model_unloads", "Models that were unloaded, by reason; made_room is an eviction.");
    }

    /// <summary>Shows what loaded models are busy with.</summary>
    /// <param name="models">Model, memory in bytes, load.</param>
    public void Watch(Func<IEnumerable<(string Model, long Bytes, GraphLoad Load)>> models)
    {
        Gauge("llmos_num_requests_running", null, m => m.Load.Running, "Requests that have a slot.");
        Gauge("llmos_num_requests_waiting", null, m => m.Load.Waiting, "Requests that wait for a slot.");
        Gauge("llmos_kv_cache_usage_perc", null, m => m.Load.KvShare, "The share of the KV cache that requests use; 1 is all.");
        Gauge("llmos_kv_cache", "By", m => m.Load.KvBytes, "Keys and values that requests use.");
        Gauge("llmos_model_memory", "By", m => m.Bytes, "Memory that a model is charged.");

        void Gauge(string name, string? unit, Func<(string Model, long Bytes, GraphLoad Load), double> value, string description) =>
            _meter.CreateObservableGauge(name, () => models().Select(m => new Measurement<double>(value(m), Label(m.Model))), unit, description);
    }

    public void Loaded(string model, TimeSpan took) => _load.Record(took.TotalSeconds, Label(model));

    public void LoadFailed(string model, ErrorCode code) => _failedLoads.Add(1, Label(model), new("code", code.ToWord()));

    public void Unloaded(string model, UnloadReason reason) => _unloads.Add(1, Label(model), new("reason", Word(reason)));

    /// <summary>The figures of one engine.</summary>
    public EngineFigures Of(string model) => new(this, Label(model));

    private static KeyValuePair<string, object?> Label(string model) => new(ModelLabel, model);

    private static string Word(UnloadReason reason) => reason switch
    {
        UnloadReason.MadeRoom => "made_room",
        UnloadReason.Expired => "expired",
        UnloadReason.Asked => "asked",
        UnloadReason.Gone => "gone",
        UnloadReason.Ended => "ended",
        UnloadReason.Closing => "closing",
    };

    private static string Word(RunOutcome outcome) => outcome switch
    {
        RunOutcome.Stop => "stop",
        RunOutcome.Length => "length",
        RunOutcome.Abort => "abort",
        RunOutcome.Error => "error",
    };

    private Histogram<double> Seconds(string name, double[] bounds, string description) =>
        _meter.CreateHistogram(name, "s", description, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private Histogram<int> Counts(string name, int[] bounds, string description) =>
        _meter.CreateHistogram(name, unit: null, description, advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = bounds });

    private Counter<long> Counter(string name, string description) => _meter.CreateCounter<long>(name, unit: null, description);

    /// <summary>What one engine tells, counted under its model.</summary>
    internal sealed class EngineFigures(ServingMetrics metrics, KeyValuePair<string, object?> label)
    {
        public void Failed() => metrics._faults.Add(1, label);

        public void Stepped(int sequences, int tokens)
        {
            metrics._batch.Record(sequences, label);
            metrics._stepTokens.Record(tokens, label);
        }

        public void PromptRead(int tokens, int cached)
        {
            metrics._prompt.Add(tokens, label);
            metrics._queries.Add(tokens, label);
            metrics._hits.Add(cached, label);
        }

        public void FirstToken(int tokens, TimeSpan since)
        {
            metrics._generated.Add(tokens, label);
            metrics._firstToken.Record(since.TotalSeconds, label);
        }

        public void NextToken(int tokens, TimeSpan since)
        {
            metrics._generated.Add(tokens, label);
            metrics._nextToken.Record(since.TotalSeconds, label);
        }

        public void Preempted(int count) => metrics._preemptions.Add(count, label);

        public void Ended(EngineUsage usage, RunOutcome outcome)
        {
            metrics._ends.Add(1, label, new("finished_reason", Word(outcome)));
            metrics._requestPrompt.Record(usage.PromptTokens, label);
            metrics._requestGenerated.Record(usage.GeneratedTokens, label);
            metrics._queue.Record(usage.QueueTime.TotalSeconds, label);
            metrics._prefill.Record(usage.PromptTime.TotalSeconds, label);
            metrics._decode.Record(usage.DecodeTime.TotalSeconds, label);
            metrics._whole.Record((usage.QueueTime + usage.PromptTime + usage.DecodeTime).TotalSeconds, label);
            if (usage.GeneratedTokens > 1)
            {
                metrics._perToken.Record(usage.DecodeTime.TotalSeconds / (usage.GeneratedTokens - 1), label);
            }
        }
    }
}
