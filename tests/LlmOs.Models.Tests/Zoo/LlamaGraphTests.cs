using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>The serving graph against transformers' recorded logits and against Llama written out plainly.</summary>
public sealed class LlamaGraphTests : IDisposable
{
    private const double Tolerance = 1e-3;

    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-graph-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("llama-gqa", "config.json")]
    [InlineData("llama-gqa", "config.v4.json")]
    [InlineData("llama-rope3-tied", "config.json")]
    [InlineData("llama-rope3-tied", "config.v4.json")]
    public void A_published_model_gives_the_recorded_logits(string model, string configFile)
    {
        var source = SharedFolder.Require("models", "hf-tiny", model);
        var config = ReadConfig(Path.Combine(source, configFile));
        using var weights = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        using var run = new GraphRun(LlamaGraph.Write(config, weights, _folder, CancellationToken.None));
        using var expected = SafetensorsFile.Open(Path.Combine(source, "reference.safetensors"));
        using var reference = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "reference.json")));

        var compared = 0;
        foreach (var test in reference.RootElement.GetProperty("cases").EnumerateArray().Where(c => c.GetProperty("kind").GetString() == "forward"))
        {
            var ids = Ints(test.GetProperty("input_ids")[0]);
            var tensors = test.GetProperty("tensors");
            var logits = run.Forward(ids);
            if (tensors.TryGetProperty("logits", out var all))
            {
                Assert.InRange(Difference(Read(expected, all.GetString()!), logits.SelectMany(l => l)), 0, Tolerance);
                compared++;
            }
            else
            {
                Assert.InRange(Difference(Read(expected, tensors.GetProperty("last_logits").GetString()!), logits[^1]), 0, Tolerance);
                compared++;
            }
        }

        Assert.True(compared >= 5, $"Only {compared} forward cases were compared.");
    }

    [Fact]
    public void A_head_width_that_the_kernel_does_not_take_is_stored_wider_without_changing_logits()
    {
        var source = SharedFolder.Require("models", "stories260K", "hf");
        var config = ReadConfig(Path.Combine(source, "config.json"));
        using var weights = SafetensorsFile.Open(Path.Combine(source, "model.safetensors"));
        using var reference = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("models", "stories260K", "reference.json")));
        var graph = LlamaGraph.Write(config, weights, _folder, CancellationToken.None);
        using var run = new GraphRun(graph);

        Assert.Equal((8, 16), (config.HeadDim, graph.Shape.HeadDim));
        foreach (var vector in reference.RootElement.GetProperty("vectors").EnumerateArray())
        {
            var last = run.Forward(Ints(vector.GetProperty("prompt_ids")))[^1];
            var recorded = vector.GetProperty("logits_first8").EnumerateArray().Select(e => e.GetSingle());
            Assert.InRange(Difference(recorded, last), 0, Tolerance);
            Assert.Equal(vector.GetProperty("greedy_ids")[0].GetInt32(), Array.IndexOf(last, last.Max()));
        }
    }

    [Theory]
    [InlineData(false, false, false, 16)]
    [InlineData(true, true, false, 16)]
    [InlineData(true, false, true, 20)]
    [InlineData(false, true, true, 32)]
    public void Every_mixture_of_options_equals_the_plain_arithmetic(bool attentionBias, bool mlpBias, bool tied, int headDim)
    {
        var config = TinyConfig() with
        {
            AttentionBias = attentionBias,
            MlpBias = mlpBias,
            TiedEmbeddings = tied,
            HeadDim = headDim,
            Rope = new RopeConfig { Type = RopeType.Linear, Theta = 5000, Factor = 2.5 },
        };

        AssertEqualsPlain(config, new RandomWeights(config, seed: 7), [3, 1, 4, 1, 5, 9, 2, 6]);
    }

    [Fact]
    public void Chunks_and_single_tokens_through_the_cache_give_the_logits_of_one_run()
    {
        var config = TinyConfig();
        int[] ids = [2, 7, 1, 8, 2, 8, 1, 8, 2];
        using var run = new GraphRun(LlamaGraph.Write(config, new RandomWeights(config, seed: 3), _folder, CancellationToken.None));
        var whole = run.Forward(ids);

        Assert.Empty(run.Step(ids[..4], 0));
        var chunk = run.Step(ids[4..8], 4, 3);
        var single = run.Step(ids[8..], 8, 0);

        Assert.InRange(Difference(whole[7], chunk[0]), 0, 1e-4);
        Assert.InRange(Difference(whole[8], single[0]), 0, 1e-4);
    }

    [Fact]
    public void Weights_that_do_not_fit_are_named()
    {
        var config = TinyConfig();
        var tensors = LlamaWeights.Of(config).Where(t => t.Name != "model.norm.weight")
            .Select(t => t.Name == "lm_head.weight" ? t with { Shape = [1, 2] } : t)
            .Append(new TensorInfo("model.layers.0.self_attn.q_norm.weight", TensorType.F32, [16])).ToList();

        var refusal = Assert.Throws<ModelFormatException>(() => LlamaGraph.Write(config, new RandomWeights(tensors, seed: 1), _folder, CancellationToken.None));

        Assert.Equal(ModelFormatProblem.CorruptFile, refusal.Problem);
        Assert.Contains("1 missing: model.norm.weight [48]", refusal.Message);
        Assert.Contains("1 left over: model.layers.0.self_attn.q_norm.weight [16]", refusal.Message);
        Assert.Contains("lm_head.weight is [1, 2] instead of [40, 48]", refusal.Message);
    }

    [Fact]
    public void A_cancelled_build_stops()
    {
        var config = TinyConfig();

        Assert.Throws<OperationCanceledException>(() =>
            LlamaGraph.Write(config, new RandomWeights(config, seed: 1), _folder, new CancellationToken(canceled: true)));
    }

    private void AssertEqualsPlain(ModelConfig config, IWeightSource weights, int[] ids)
    {
        using var run = new GraphRun(LlamaGraph.Write(config, weights, _folder, CancellationToken.None));

        var plain = new PlainLlama(config, weights).Forward(ids);
        var served = run.Forward(ids);

        Assert.InRange(Difference(plain.SelectMany(l => l).Select(v => (float)v), served.SelectMany(l => l)), 0, 1e-4);
    }

    private static ModelConfig TinyConfig() => new()
    {
        ModelType = "llama",
        Architecture = "LlamaForCausalLM",
        Hidden = 48,
        Intermediate = 56,
        Layers = 2,
        Heads = 4,
        KvHeads = 2,
        HeadDim = 16,
        Vocabulary = 40,
        ContextLength = 64,
        NormEpsilon = 1e-5,
    };

    private static ModelConfig ReadConfig(string path) => ModelConfig.Read(ConfigJson.Parse(File.ReadAllBytes(path), Path.GetFileName(path)));

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(e => e.GetInt32())];

    private static float[] Read(SafetensorsFile file, string name)
    {
        var values = new float[file.Find(name)!.Elements];
        file.Read(name, 0, values);
        return values;
    }

    private static double Difference(IEnumerable<float> expected, IEnumerable<float> actual)
    {
        var pairs = expected.Zip(actual).ToList();
        Assert.NotEmpty(pairs);
        return pairs.Max(p => Math.Abs((double)p.First - p.Second));
    }
}
