using System.Diagnostics;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Zoo;

namespace LlmOs.Benchmarks;

/// <summary>
/// Texts/s of all-MiniLM-L6-v2 by length and batch, told as arithmetic done a second beside what one large matrix product
/// does on this machine: the share says how much of it the encoder reaches.
/// </summary>
internal static class EncoderBenchmark
{
    private const int Rounds = 5;
    private static readonly TimeSpan MinTime = TimeSpan.FromSeconds(0.5);

    /// <param name="shared">The shared folder.</param>
    public static async Task RunAsync(string shared, CancellationToken cancel)
    {
        var source = Path.Combine(shared, "models", "all-minilm-l6-v2");
        var json = ConfigJson.Parse(await File.ReadAllBytesAsync(Path.Combine(source, "config.json"), cancel), "config.json");
        var architecture = Architectures.Of(json);
        var config = architecture.ReadConfig(json);
        var folder = Directory.CreateTempSubdirectory("llmos-bench-").FullName;
        try
        {
            EncoderGraph graph;
            using (var weights = SafetensorsFile.Open(Path.Combine(source, "model.safetensors")))
            {
                graph = (EncoderGraph)architecture.WriteGraph(config, weights, WeightPrecision.F32, folder, cancel);
            }

            var report = new Report("encoders", "all-MiniLM-L6-v2, f32: arithmetic of its matrix products by length and batch", "MiniLM", "matrix product 1024 x 1024 x 1024", "GFLOP/s", moreIsBetter: true);
            await using var engine = EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions(), EngineDevice.Cpu, TimeProvider.System);
            using var product = new MatrixProduct(1024);
            foreach (var length in new[] { 16, 64, 256 })
            {
                foreach (var batch in new[] { 1, 8, 32 })
                {
                    List<double> ours = [], theirs = [];
                    for (var round = -1; round < Rounds; round++)
                    {
                        var rate = await TextsAsync(engine, length, batch, cancel);
                        var machine = product.GigaFlops(MinTime);
                        if (round >= 0) // round -1 warms both
                        {
                            ours.Add(rate * Flops(config, length) / 1e9);
                            theirs.Add(machine);
                        }
                    }

                    report.Add($"length {length}, batch {batch} ({ours.Order().ElementAt(Rounds / 2) * 1e9 / Flops(config, length):F0} texts/s)", ours, theirs);
                }
            }

            await report.SaveAsync(cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Multiplications and additions of a text's matrix products, attention's among them.</summary>
    private static double Flops(ModelConfig config, int length)
    {
        double hidden = config.Hidden, inner = config.Intermediate;
        var perToken = (4 * hidden * hidden) + (2 * hidden * inner) + (2 * hidden * length);
        return 2.0 * config.Layers * length * perToken;
    }

    private static async Task<double> TextsAsync(EncoderEngine engine, int length, int batch, CancellationToken cancel)
    {
        EncoderText[] texts = [.. Enumerable.Range(0, batch).Select(row => new EncoderText([.. Enumerable.Range(0, length).Select(i => 1000 + ((i * 31) + (row * 101)) % 20_000)]))];
        var (begin, runs) = (Stopwatch.GetTimestamp(), 0);
        do
        {
            await engine.RunAsync(texts, EncoderOutput.States, cancel);
            runs++;
        }
        while (Stopwatch.GetElapsedTime(begin) < MinTime);

        return batch * runs / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }
}
