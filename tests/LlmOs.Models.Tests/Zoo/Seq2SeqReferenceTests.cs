using LlmOs.Engine;
using LlmOs.Engine.Execution;
using LlmOs.Models.Zoo;
using Microsoft.ML.OnnxRuntime;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>Every encoder-decoder of <c>hf-tiny</c>, teacher-forced, against what transformers computed with the same weights.</summary>
public sealed class Seq2SeqReferenceTests : IDisposable
{
    private const double Tolerance = 1e-3;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-seq2seq-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Models() => [.. ReferenceFolders.Of<Seq2SeqArchitecture>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Logits_are_the_recorded_ones(string model)
    {
        using var reference = new ReferenceModel(model);
        var graph = (ServingGraph)reference.Architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);

        var compared = 0;
        foreach (var test in reference.Cases("forward").Concat(reference.Cases("loss")))
        {
            var logits = await engine.LogitsAsync(test.Rows("decoder_input_ids")[0], test.Rows("input_ids")[0], Cancel);
            var (expected, actual) = test.Tensor("logits") is { } all ? (all, logits) : (test.Tensor("last_logits")!, logits[^engine.Shape.Vocabulary..]);
            Assert.InRange(ReferenceCase.Difference(expected, actual), 0, Tolerance);
            compared++;
        }

        Assert.True(compared >= 6, $"Only {compared} outputs were compared.");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Greedy_ids_in_a_batch_are_those_of_each_text_alone_to_the_last_bit(string model)
    {
        using var reference = new ReferenceModel(model);
        var graph = (ServingGraph)reference.Architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        GenerationRequest[] requests = [.. reference.Cases("forward").DistinctBy(test => test.Rows("input_ids")[0].Length).Select(test => new GenerationRequest
        {
            PromptTokens = [reference.Config.Seq2Seq!.StartToken],
            SourceTokens = test.Rows("input_ids")[0],
            MaxTokens = 24,
            TopLogprobs = 5,
            Sampling = new() { Temperature = 0 },
        })];
        Assert.True(requests.Length >= 3, $"Only {requests.Length} lengths.");

        var alone = new List<IReadOnlyList<GenerationPiece>>();
        foreach (var request in requests)
        {
            alone.Add(await Generate(engine, request));
        }

        var together = await Task.WhenAll(requests.Select(request => Generate(engine, request)));

        for (var i = 0; i < requests.Length; i++)
        {
            Assert.Equal(alone[i].Select(p => p.Token), together[i].Select(p => p.Token));
            Assert.Equal(alone[i].SelectMany(p => p.TopLogprobs), together[i].SelectMany(p => p.TopLogprobs)); // equal, not close
        }
    }

    private static async Task<IReadOnlyList<GenerationPiece>> Generate(InferenceEngine engine, GenerationRequest request)
    {
        var pieces = new List<GenerationPiece>();
        await foreach (var piece in engine.Submit(request).Pieces(Cancel))
        {
            pieces.Add(piece);
        }

        return pieces;
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Encoder_states_are_the_recorded_ones(string model)
    {
        using var reference = new ReferenceModel(model);
        var architecture = (Seq2SeqArchitecture)reference.Architecture;
        var graph = architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, withStates: true, Cancel);
        using var session = new InferenceSession(DecoderGraph.EncoderBeside(graph.OnnxPath));
        using var options = new RunOptions();

        foreach (var test in reference.Cases("forward"))
        {
            var ids = test.Rows("input_ids")[0];
            using var idValue = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(ids, i => (long)i), [1, ids.Length]);
            using var lengths = OrtValue.CreateTensorValueFromMemory(new[] { ids.Length }, [1]);
            var inputs = new Dictionary<string, OrtValue> { [EncoderNames.InputIds] = idValue, [EncoderNames.Lengths] = lengths };
            using var last = session.Run(options, inputs, [EncoderNames.LastHiddenState]);
            Assert.InRange(ReferenceCase.Difference(test.Tensor("encoder_last_hidden_state")!, last[0].GetTensorDataAsSpan<float>().ToArray()), 0, Tolerance);
            if (test.Tensor("encoder_hidden_states") is { } expected)
            {
                using var states = session.Run(options, inputs, Enumerable.Range(0, reference.Config.Layers + 1).Select(EncoderNames.HiddenState).ToArray());
                Assert.InRange(ReferenceCase.Difference(expected, [.. states.SelectMany(s => s.GetTensorDataAsSpan<float>().ToArray())]), 0, Tolerance);
            }
        }
    }
}
