using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Zoo;

/// <summary>What is stored decides which weights are one and the same: copies are one, other values count, and what is absent is the one that is there.</summary>
public sealed class WeightTiesTests : IDisposable
{
    private const string Embedding = "model.embed_tokens.weight", Head = "lm_head.weight";
    private const double Tolerance = 1e-4;

    private static readonly string Golden = Path.Combine(SharedFolder.Repository, "tests", "golden");

    private readonly TempFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_head_of_other_values_counts_though_the_flag_says_that_it_is_tied()
    {
        var (config, weights) = Open("llama", ("tie_word_embeddings", true));

        AssertGolden("llama", Logits(config, weights)); // recorded with the flag false
    }

    [Fact]
    public void A_head_that_is_a_copy_is_the_embedding_and_is_kept_once()
    {
        var (config, weights) = Open("llama", ("tie_word_embeddings", true));
        var alone = Logits(config, weights.Remove(Head));
        var copied = Logits(config, weights.Copy(Embedding, Head));

        Assert.Equal(alone, copied);
        Assert.DoesNotContain(Architectures.Of(config).Weights(Settled(config, weights)), t => t.Name == Head);
    }

    [Fact]
    public void A_tie_goes_both_ways()
    {
        var (config, weights) = Open("llama", ("tie_word_embeddings", true));
        var embedded = Logits(config, weights.Remove(Head));
        var headed = Logits(config, weights.Move(Embedding, Head));

        Assert.Equal(embedded, headed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_without_copies_says_where_they_are(bool flag)
    {
        var (config, weights) = Open("llama", ("tie_word_embeddings", flag));
        var whole = Logits(config, weights.Copy(Embedding, Head));
        var noted = Logits(config, weights.Remove(Head).Note(Head, Embedding));
        var turned = new LooseWeights(weights).Move(Embedding, Head).Note(Embedding, Head);

        Assert.Equal(whole, noted);
        Assert.Equal(whole, Logits(config, turned));
    }

    [Fact]
    public void Without_flag_and_note_a_head_that_is_not_stored_is_missing()
    {
        var (config, weights) = Open("llama", ("tie_word_embeddings", false));

        Assert.Contains("missing: lm_head.weight", Assert.Throws<ModelFormatException>(() => Logits(config, weights.Remove(Head))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_copied_head_of_a_first_T5_changes_nothing()
    {
        var (config, weights) = Open("t5");

        await AssertGoldenT5Async(config, weights.Copy("shared.weight", Head), ids => ids);
    }

    [Theory]
    [InlineData("encoder.embed_tokens.weight")]
    [InlineData("decoder.embed_tokens.weight")]
    [InlineData(Head)]
    public async Task The_embedding_of_an_encoder_decoder_may_be_stored_under_any_of_its_names(string name)
    {
        var (config, weights) = Open("t5");

        await AssertGoldenT5Async(config, weights.Move("shared.weight", name), ids => ids);
    }

    [Fact]
    public async Task An_encoder_with_an_embedding_of_its_own_uses_it()
    {
        var (config, weights) = Open("t5");
        int[] order = [.. Enumerable.Range(0, 64).Select(i => (i * 27 + 5) % 64)];

        await AssertGoldenT5Async(config, weights.Permute("shared.weight", "encoder.embed_tokens.weight", order), ids => Array.ConvertAll(ids, id => order[id]));
    }

    [Theory]
    [InlineData(null, true, 2)] // the flag alone: version 1.0, which scales
    [InlineData(true, true, 2)]
    [InlineData(false, true, 2 * 5.6568542)] // root of the width 32
    [InlineData(null, false, 2 * 5.6568542)]
    public async Task A_T5_with_a_head_of_its_own_scales_what_goes_into_it_as_its_configuration_says(bool? scales, bool tied, double factor)
    {
        List<(string, JsonNode?)> changes = [("tie_word_embeddings", tied)];
        if (scales is { } stated)
        {
            changes.Add(("scale_decoder_outputs", stated));
        }

        var (config, weights) = Open("t5", [.. changes]);

        await AssertGoldenT5Async(config, weights.Copy("shared.weight", Head, v => 2 * v), ids => ids, factor);
    }

    [Fact]
    public async Task A_masked_language_models_decoder_of_other_values_counts()
    {
        const string Json = """
            {"architectures":["BertForMaskedLM"],"model_type":"bert","hidden_size":32,"intermediate_size":48,"num_hidden_layers":1,"num_attention_heads":4,"hidden_act":"gelu",
             "vocab_size":40,"max_position_embeddings":24,"type_vocab_size":2,"layer_norm_eps":1e-12,"pad_token_id":0}
            """;
        var config = ConfigJson.Parse(Encoding.UTF8.GetBytes(Json), "config.json");
        var architecture = Architectures.Of(config);
        var weights = new LooseWeights(new RandomWeights(architecture.Weights(architecture.ReadConfig(config)), seed: 4));
        var bias = new float[40];
        weights.Read("cls.predictions.bias", 0, bias);

        var tied = await MaskLogitsAsync(config, weights);
        var copied = await MaskLogitsAsync(config, weights.Copy("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight").Copy("cls.predictions.bias", "cls.predictions.decoder.bias"));
        var own = await MaskLogitsAsync(config, weights
            .Copy("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight", v => -v)
            .Copy("cls.predictions.bias", "cls.predictions.decoder.bias", v => v + 1));

        Assert.Equal(tied, copied);
        Assert.All(Enumerable.Range(0, 40), i => Assert.Equal(1 + (2 * bias[i]) - tied[i], own[i], 1e-4));
    }

    private static ModelConfig Settled(ConfigJson json, IWeightSource weights)
    {
        var architecture = Architectures.Of(json);
        return architecture.Settle(architecture.ReadConfig(json), weights);
    }

    private float[] Logits(ConfigJson json, IWeightSource weights)
    {
        var architecture = Architectures.Of(json);
        using var run = new GraphRun((ServingGraph)architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, NewFolder(), Cancel));
        return [.. Cases("llama").SelectMany(test => run.Forward(Ids(test, "ids")).SelectMany(row => row))];
    }

    private async Task<float[]> MaskLogitsAsync(ConfigJson json, IWeightSource weights)
    {
        var architecture = Architectures.Of(json);
        var graph = (EncoderGraph)architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, NewFolder(), Cancel);
        await using var engine = EncoderEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        return (await engine.RunAsync([new EncoderText([5, 6, 7], Places: [1])], EncoderOutput.Logits, Cancel))[0];
    }

    /// <param name="source">What is asked instead of the recorded source.</param>
    /// <param name="factor">What the logits are times the recorded ones.</param>
    private async Task AssertGoldenT5Async(ConfigJson json, IWeightSource weights, Func<int[], int[]> source, double factor = 1)
    {
        var architecture = Architectures.Of(json);
        var graph = (ServingGraph)architecture.WriteGraph(architecture.ReadConfig(json), weights, WeightPrecision.F32, NewFolder(), Cancel);
        await using var engine = InferenceEngine.Load(graph.OnnxPath, graph.Shape, new EngineOptions { Slots = 2, Threads = 1 }, EngineDevice.Cpu, TimeProvider.System);
        foreach (var test in Cases("t5"))
        {
            var logits = await engine.LogitsAsync(Ids(test, "ids"), source(Ids(test, "source")), Cancel);
            Assert.InRange(ReferenceCase.Difference(Values(test.GetProperty("logits")), Array.ConvertAll(logits, v => (float)(v / factor))), 0, Tolerance);
        }
    }

    private static void AssertGolden(string model, float[] logits) =>
        Assert.InRange(ReferenceCase.Difference([.. Cases(model).SelectMany(test => Values(test.GetProperty("logits")))], logits), 0, Tolerance);

    private string NewFolder() => Directory.CreateDirectory(_folder.At($"{Guid.NewGuid():n}")).FullName;

    /// <summary>A model of the golden set with settings of its configuration changed.</summary>
    private static (ConfigJson Config, LooseWeights Weights) Open(string model, params IReadOnlyList<(string Key, JsonNode? Value)> changes)
    {
        var json = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Golden, model, "config.json")))!.AsObject();
        foreach (var (key, value) in changes)
        {
            json[key] = value;
        }

        using var file = SafetensorsFile.Open(Path.Combine(Golden, model, "model.safetensors"));
        return (ConfigJson.Parse(Encoding.UTF8.GetBytes(json.ToJsonString()), "config.json"), new LooseWeights(file));
    }

    private static List<JsonElement> Cases(string model)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden, model, "expected.json")));
        return [.. document.RootElement.EnumerateArray().Select(test => test.Clone())];
    }

    private static int[] Ids(JsonElement test, string field) => ReferenceCase.Ints(test.GetProperty(field));

    private static float[] Values(JsonElement rows) => [.. rows.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(v => v.GetSingle())];
}
