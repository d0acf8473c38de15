using LlmOs.Engine;
using LlmOs.MakeModel;
using LlmOs.Models.Zoo;

namespace LlmOs.Benchmarks;

/// <summary>Decode tokens/s of the engine with weights in 8-bit blocks, against the same model in f32, in turn.</summary>
internal static class Int8Benchmark
{
    private const int Capacity = 512;
    private const int Rounds = 7;

    public static async Task RunAsync(string shapeName, CancellationToken cancel)
    {
        var config = ModelShapes.All[shapeName];
        var folder = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        try
        {
            InferenceEngine Load(WeightPrecision precision)
            {
                var graph = LlamaGraph.Write(config, new RandomWeights(config), precision, Directory.CreateDirectory(Path.Combine(folder, $"{precision}")).FullName, cancel);
                return InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 8, MaxContext = Capacity }, EngineDevice.Cpu, TimeProvider.System);
            }

            Console.WriteLine($"{shapeName}: writing the graphs");
            await using var int8 = Load(WeightPrecision.EightBit);
            await using var f32 = Load(WeightPrecision.F32);
            var report = new Report($"int8-{shapeName}", $"Decode of random weights in the shape of {shapeName}, {DecodeBenchmark.Context} tokens of context", "int8", "f32", "tokens/s", moreIsBetter: true);
            foreach (var batch in new[] { 1, 4 })
            {
                List<double> ours = [], theirs = [];
                for (var round = -1; round < Rounds; round++)
                {
                    var int8First = round % 2 == 0;
                    var first = await DecodeBenchmark.EngineRateAsync(int8First ? int8 : f32, batch, round, cancel);
                    var second = await DecodeBenchmark.EngineRateAsync(int8First ? f32 : int8, batch, round, cancel);
                    if (round >= 0) // round -1 warms both
                    {
                        ours.Add(int8First ? first : second);
                        theirs.Add(int8First ? second : first);
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
}
