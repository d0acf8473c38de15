using System.Diagnostics;
using System.Text;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Benchmarks;

/// <summary>Tokens/s of an encoder-decoder in the shape of T5-small with random weights: greedy beside four beams, one text at a time.</summary>
internal static class Seq2SeqBenchmark
{
    private const int Source = 64;
    private const int Tokens = 48;
    private const int Rounds = 5;

    private const string Shape = """
        {"model_type":"t5","architectures":["T5ForConditionalGeneration"],"d_model":512,"d_kv":64,"d_ff":2048,"num_layers":6,"num_heads":8,
         "vocab_size":32128,"n_positions":512,"feed_forward_proj":"relu","relative_attention_num_buckets":32,"pad_token_id":0,
         "eos_token_id":1,"decoder_start_token_id":0,"is_encoder_decoder":true}
        """;

    public static async Task RunAsync(CancellationToken cancel)
    {
        var json = ConfigJson.Parse(Encoding.UTF8.GetBytes(Shape), "config.json");
        var architecture = Architectures.Of(json);
        var config = architecture.ReadConfig(json);
        var folder = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        try
        {
            var graph = (ServingGraph)architecture.WriteGraph(config, new Noise(architecture.Weights(config)), WeightPrecision.F32, folder, cancel);
            var report = new Report("seq2seq", $"Random weights in the shape of T5-small, f32, {Source} tokens of source, {Tokens} new ones", "greedy", "4 beams", "tokens/s", moreIsBetter: true);
            await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 8 }, EngineDevice.Cpu, TimeProvider.System);
            List<double> greedy = [], beams = [];
            for (var round = -1; round < Rounds; round++)
            {
                var one = await RateAsync(engine, round, beams: 1, cancel);
                var four = await RateAsync(engine, round, beams: 4, cancel);
                if (round >= 0)
                {
                    greedy.Add(one);
                    beams.Add(four);
                }
            }

            report.Add("one text", greedy, beams);
            await report.SaveAsync(cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<double> RateAsync(InferenceEngine engine, int round, int beams, CancellationToken cancel)
    {
        var request = new GenerationRequest
        {
            PromptTokens = [0],
            SourceTokens = [.. Enumerable.Range(0, Source).Select(i => 2 + (((i * 31) + ((round + 2) * 977)) % 30_000))],
            MaxTokens = Tokens,
            Sampling = new SamplingParameters { Temperature = 0 },
            Beams = beams > 1 ? new BeamSettings(beams) : null,
        };
        var begin = Stopwatch.GetTimestamp();
        if (beams > 1)
        {
            await engine.BeamSearchAsync(request, cancel);
        }
        else
        {
            await foreach (var _ in engine.Submit(request).Pieces(cancel))
            {
                // Only the time counts.
            }
        }

        return Tokens / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Small numbers for every weight, gains of norms about one.</summary>
    private sealed class Noise(IReadOnlyList<TensorInfo> tensors) : IWeightSource
    {
        private readonly Dictionary<string, TensorInfo> _tensors = tensors.ToDictionary(t => t.Name);

        // The head is left out: a model without one ties it.
        public IReadOnlyCollection<TensorInfo> Tensors => _tensors.Values;

        public TensorInfo? Find(string name) => _tensors.GetValueOrDefault(name);

        public void Read(string name, long offset, Span<float> destination)
        {
            var around = name.Contains("layer_norm", StringComparison.Ordinal) ? 1f : 0f;
            for (var i = 0; i < destination.Length; i++)
            {
                destination[i] = around + ((((offset + i) * 2654435761L) % 1000) - 500) * 1e-4f;
            }
        }
    }
}
