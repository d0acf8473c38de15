using LlmOs.Engine;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Every tiny model in blocks of 8 and of 4 bits, beside what transformers gave in f32: the distance is the root of the mean
/// square of the differences, as a share of the outputs' own spread.
/// </summary>
public sealed class BlockReferenceTests : IDisposable
{
    /// <summary>Its matrices have 48 and 80 columns, which blocks of 32 do not divide: they stay f32.</summary>
    private const string Indivisible = "bert-base";

    /// <summary>Random noise as large as half a step of the blocks moves its three outputs as far: 0.27 and 0.95.</summary>
    private const string Sensitive = "bart-nli";

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-block-reference-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, WeightPrecision, double> Models()
    {
        var data = new TheoryData<string, WeightPrecision, double>();
        foreach (var model in ReferenceFolders.Of<Architecture>().Except([Indivisible]))
        {
            data.Add(model, WeightPrecision.EightBit, model == Sensitive ? 0.45 : 0.07);
            data.Add(model, WeightPrecision.FourBit, model == Sensitive ? 1.6 : 0.6);
        }

        return data;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Rounded_weights_stay_within_the_stated_distance(string model, WeightPrecision precision, double max)
    {
        using var reference = new ReferenceModel(model);
        var config = reference.Architecture.Settle(reference.Config, reference.Weights);
        var pairs = reference.Architecture.WriteGraph(config, reference.Weights, precision, _folder, Cancel) switch
        {
            EncoderGraph graph => await EncoderAsync(reference, graph),
            ServingGraph graph when reference.Architecture is Seq2SeqArchitecture => await Seq2SeqAsync(reference, graph),
            ServingGraph graph => Decoder(reference, graph),
            var other => throw new InvalidOperationException($"{other.GetType().Name} is no graph that this test knows."),
        };

        var (error, count) = (pairs.Sum(p => p.Expected.Zip(p.Actual).Sum(v => Math.Pow(v.First - v.Second, 2))), pairs.Sum(p => (double)p.Expected.Length));
        var mean = pairs.Sum(p => p.Expected.Sum(v => (double)v)) / count;
        var spread = pairs.Sum(p => p.Expected.Sum(v => Math.Pow(v - mean, 2)));
        var distance = Math.Sqrt(error / spread);
        TestContext.Current.TestOutputHelper!.WriteLine($"{model} {precision}: {distance:0.0000}");

        Assert.InRange(distance, 1e-5, max); // 0 would mean that nothing was rounded
    }

    private static List<(float[] Expected, float[] Actual)> Decoder(ReferenceModel reference, ServingGraph graph)
    {
        using var run = new GraphRun(graph);
        return [.. reference.Cases("forward").Select(test => (test, logits: run.Forward(test.Rows("input_ids")[0])))
            .Select(r => r.test.Tensor("logits") is { } all ? (all, r.logits.SelectMany(l => l).ToArray()) : (r.test.Tensor("last_logits")!, r.logits[^1]))];
    }

    private static async Task<List<(float[] Expected, float[] Actual)>> Seq2SeqAsync(ReferenceModel reference, ServingGraph graph)
    {
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 1, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        var pairs = new List<(float[], float[])>();
        foreach (var test in reference.Cases("forward"))
        {
            var logits = await engine.LogitsAsync(test.Rows("decoder_input_ids")[0], test.Rows("input_ids")[0], Cancel);
            pairs.Add(test.Tensor("logits") is { } all ? (all, logits) : (test.Tensor("last_logits")!, logits[^engine.Shape.Vocabulary..]));
        }

        return pairs;
    }

    private static async Task<List<(float[] Expected, float[] Actual)>> EncoderAsync(ReferenceModel reference, EncoderGraph graph)
    {
        await using var engine = EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        var pairs = new List<(float[], float[])>();
        foreach (var test in reference.Cases("encode").Concat(reference.Cases("encode-batch")))
        {
            foreach (var role in test.Roles.Where(r => r is not ("hidden_states" or "loss")))
            {
                pairs.AddRange(await EncoderReferenceTests.Outputs(engine, test, role));
            }
        }

        return pairs;
    }
}
