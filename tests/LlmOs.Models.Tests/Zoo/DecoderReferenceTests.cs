using LlmOs.Engine;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// Every decoder of <c>hf-tiny</c> against what transformers computed with the same weights, in both spellings of its
/// configuration. A decoder that is added to the folder and supported is tested without a change here.
/// </summary>
public sealed class DecoderReferenceTests : IDisposable
{
    private const double Tolerance = 1e-3;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-decoder-").FullName;

    public static TheoryData<string, string> Decoders()
    {
        var data = new TheoryData<string, string>();
        foreach (var model in ReferenceFolders.Of<DecoderArchitecture>())
        {
            data.Add(model, "config.json");
            if (File.Exists(Path.Combine(ReferenceFolders.Root ?? "", model, "config.v4.json")))
            {
                data.Add(model, "config.v4.json");
            }
        }

        return data;
    }

    public static TheoryData<string> Models() => [.. ReferenceFolders.Of<DecoderArchitecture>()];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Logits_and_hidden_states_are_the_recorded_ones(string model, string configFile)
    {
        using var reference = new ReferenceModel(model, configFile);
        var graph = ((DecoderArchitecture)reference.Architecture).WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, withStates: true, CancellationToken.None);
        using var run = new GraphRun(graph, states: reference.Config.Layers + 1, reference.Config.Hidden);

        var compared = 0;
        foreach (var test in reference.Cases("forward"))
        {
            var logits = run.Forward(test.Rows("input_ids")[0]);
            if (test.Tensor("logits") is { } all)
            {
                Assert.InRange(ReferenceCase.Difference(all, [.. logits.SelectMany(l => l)]), 0, Tolerance);
                compared++;
            }

            if (test.Tensor("last_logits") is { } last)
            {
                Assert.InRange(ReferenceCase.Difference(last, logits[^1]), 0, Tolerance);
                compared++;
            }

            if (test.Tensor("hidden_states") is { } states)
            {
                Assert.InRange(ReferenceCase.Difference(states, run.States), 0, Tolerance);
                compared++;
            }
        }

        Assert.True(compared >= 5, $"Only {compared} outputs were compared.");
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Greedy_ids_in_a_batch_are_those_of_each_text_alone_to_the_last_bit(string model)
    {
        using var reference = new ReferenceModel(model);
        var graph = (ServingGraph)reference.Architecture.WriteGraph(reference.Config, reference.Weights, WeightPrecision.F32, _folder, CancellationToken.None);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 4, Threads = 1, PrefillChunk = 16 }, EngineDevice.Cpu, TimeProvider.System);
        int[][] prompts = [.. reference.Cases("forward").Select(c => c.Rows("input_ids")[0]).Where(ids => ids.Length > 1).OrderBy(ids => ids.Length)];
        Assert.True(prompts.Select(p => p.Length).Distinct().Count() >= 3);

        var alone = new List<IReadOnlyList<GenerationPiece>>();
        foreach (var prompt in prompts)
        {
            alone.Add(await Generate(engine, prompt));
        }

        var together = await Task.WhenAll(prompts.Select(prompt => Generate(engine, prompt)));

        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(alone[i].Select(p => p.Token), together[i].Select(p => p.Token));
            Assert.Equal(alone[i].SelectMany(p => p.TopLogprobs), together[i].SelectMany(p => p.TopLogprobs)); // equal, not close
        }
    }

    private static async Task<IReadOnlyList<GenerationPiece>> Generate(InferenceEngine engine, int[] prompt)
    {
        var pieces = new List<GenerationPiece>();
        await foreach (var piece in engine.Submit(new GenerationRequest { PromptTokens = prompt, MaxTokens = 24, TopLogprobs = 5, Sampling = new() { Temperature = 0 } }).Pieces(TestContext.Current.CancellationToken))
        {
            pieces.Add(piece);
        }

        return pieces;
    }
}
