using System.Text.Json;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>
/// One tiny model of each family, committed in <c>tests/golden</c>, against the same arithmetic written out plainly in double
/// precision and in another language. Needs nothing that a clone does not carry.
/// </summary>
public sealed class GoldenSetTests : IDisposable
{
    private const double Tolerance = 1e-4;

    private static readonly string Golden = Path.Combine(SharedFolder.Repository, "tests", "golden");

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-golden-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void A_decoder_gives_the_logits_of_the_plain_arithmetic(string model)
    {
        using var run = new GraphRun((ServingGraph)WriteGraph(model));

        Assert.All(Cases(model), test => AssertNear(test.GetProperty("logits"), run.Forward(Ids(test, "ids")).SelectMany(row => row)));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt2")]
    public void A_decoder_gives_them_token_by_token_through_its_cache_too(string model)
    {
        using var run = new GraphRun((ServingGraph)WriteGraph(model));

        foreach (var test in Cases(model))
        {
            AssertNear(test.GetProperty("logits"), Ids(test, "ids").Index().SelectMany(token => run.Step([token.Item], token.Index, 0)[0]));
        }
    }

    [Fact]
    public async Task An_encoder_gives_the_states_and_the_pooled_vector_of_the_plain_arithmetic()
    {
        var graph = (EncoderGraph)WriteGraph("bert");
        await using var engine = EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);

        foreach (var test in Cases("bert"))
        {
            EncoderText[] text = [new(Ids(test, "ids"), Ids(test, "types"))];
            AssertNear(test.GetProperty("states"), (await engine.RunAsync(text, EncoderOutput.States, Cancel))[0]);
            AssertNear(test.GetProperty("pooled"), (await engine.RunAsync(text, EncoderOutput.Pooled, Cancel))[0]);
        }
    }

    [Fact]
    public async Task An_encoder_decoder_gives_the_logits_of_the_plain_arithmetic()
    {
        var graph = (ServingGraph)WriteGraph("t5");
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 2, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);

        foreach (var test in Cases("t5"))
        {
            AssertNear(test.GetProperty("logits"), await engine.LogitsAsync(Ids(test, "ids"), Ids(test, "source"), Cancel));
        }
    }

    private ModelGraph WriteGraph(string model)
    {
        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(Golden, model, "config.json")), "config.json");
        var architecture = Architectures.Of(json);
        using var weights = SafetensorsFile.Open(Path.Combine(Golden, model, "model.safetensors"));
        return architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, _folder, Cancel);
    }

    private static List<JsonElement> Cases(string model)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden, model, "expected.json")));
        List<JsonElement> cases = [.. document.RootElement.EnumerateArray().Select(test => test.Clone())];
        Assert.Equal(3, cases.Count);
        return cases;
    }

    private static int[] Ids(JsonElement test, string field) => ReferenceCase.Ints(test.GetProperty(field));

    private static void AssertNear(JsonElement expected, IEnumerable<float> actual) =>
        Assert.InRange(ReferenceCase.Difference([.. expected.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(v => v.GetSingle())], [.. actual]), 0, Tolerance);
}
