using System.Diagnostics;
using LlmOs.Engine;
using LlmOs.MakeModel;
using LlmOs.Models.Zoo;

namespace LlmOs.Benchmarks;

/// <summary>Decode tokens/s of the engine, whole (queue, scheduler, sampler, channels), against <see cref="PlainLoop"/> on the same graph.</summary>
internal static class DecodeBenchmark
{
    internal const int Context = 64;
    private const int Tokens = 64;
    private const int Capacity = 512;
    private const int Rounds = 5;

    public static async Task RunAsync(string shapeName, CancellationToken cancel)
    {
        var config = ModelShapes.All[shapeName];
        var folder = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        try
        {
            Console.WriteLine($"{shapeName}: writing the graph");
            var graph = LlamaGraph.Write(config, new RandomWeights(config), folder, cancel);
            var report = new Report($"decode-{shapeName}", $"Decode of random weights in the shape of {shapeName}, f32, {Context} tokens of context", "engine", "plain ONNX Runtime loop", "tokens/s", moreIsBetter: true);
            var options = new EngineOptions { Slots = 8, MaxContext = Capacity };
            await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, options, EngineDevice.Cpu, TimeProvider.System);
            foreach (var batch in new[] { 1, 4, 8 })
            {
                using var plain = new PlainLoop(graph.OnnxPath, graph.Shape, batch, Capacity);
                List<double> ours = [], theirs = [];
                for (var round = -1; round < Rounds; round++)
                {
                    // The order alternates, so that neither always runs on what the other left behind.
                    var engineFirst = round % 2 == 0;
                    var first = engineFirst ? await EngineRateAsync(engine, batch, round, cancel) : PlainRate(plain, batch);
                    var second = engineFirst ? PlainRate(plain, batch) : await EngineRateAsync(engine, batch, round, cancel);
                    if (round >= 0) // round -1 warms both
                    {
                        ours.Add(engineFirst ? first : second);
                        theirs.Add(engineFirst ? second : first);
                    }
                }

                report.Add($"{batch} at a time", ours, theirs);
            }

            await report.SaveAsync(cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double PlainRate(PlainLoop plain, int batch)
    {
        var begin = Stopwatch.GetTimestamp();
        plain.Decode(Context, Tokens);
        return batch * Tokens / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Counts the tokens that arrive while all sequences decode together: from the last one's first token to the first one's last.</summary>
    internal static async Task<double> EngineRateAsync(InferenceEngine engine, int batch, int round, CancellationToken cancel)
    {
        var arrivals = await Task.WhenAll(Enumerable.Range(0, batch).Select(row => Task.Run(async () =>
        {
            // Distinct prompts, so that no sequence finds another's prefix.
            var prompt = Enumerable.Range(0, Context).Select(i => 7 + ((i * 31 + row * 101 + (round + 2) * 977) % 40_000 % engine.Shape.Vocabulary)).Select(id => id % engine.Shape.Vocabulary).ToArray();
            var sequence = engine.Submit(new GenerationRequest { PromptTokens = prompt, MaxTokens = Tokens + (8 * batch), Sampling = new SamplingParameters { Temperature = 0 } });
            List<long> times = [];
            await foreach (var _ in sequence.Pieces(cancel))
            {
                times.Add(Stopwatch.GetTimestamp());
            }

            return times;
        }, cancel)));
        var begin = arrivals.Max(times => times[0]);
        var end = arrivals.Min(times => times[^1]);
        var tokens = arrivals.Sum(times => times.Count(t => t > begin && t <= end));
        return tokens / Stopwatch.GetElapsedTime(begin, end).TotalSeconds;
    }
}
