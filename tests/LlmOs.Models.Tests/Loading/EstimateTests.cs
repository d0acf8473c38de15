using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;
using Microsoft.Extensions.Options;

namespace LlmOs.Models.Tests.Loading;

/// <summary>What a model takes is known from its headers, and what can never fit is refused at once.</summary>
public sealed class EstimateTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("f32")]
    [InlineData("int8")]
    [InlineData("int4")]
    public async Task The_weights_of_the_estimate_are_those_of_the_graph(string precision)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "m")).FullName;
        var config = TinyModel.ConfigJson.Replace("\"hidden_size\":32,\"intermediate_size\":48", "\"hidden_size\":256,\"intermediate_size\":512", StringComparison.Ordinal).Replace("\"vocab_size\":40", "\"vocab_size\":4000", StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        var json = ConfigJson.Parse(File.ReadAllBytes(Path.Combine(folder, "config.json")), "config.json");
        var architecture = Architectures.Of(json);
        TinyModel.WriteWeights(Path.Combine(folder, "model.safetensors"), architecture.Weights(architecture.ReadConfig(json)), seed: 1);
        var version = await _world.Get<ModelIntake>().TakeFilesAsync(ModelFolder.List(folder), "m", precision, (_, _) => { }, CancellationToken.None);
        var graph = (ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(version.Files, precision, CancellationToken.None);
        var bytes = new FileInfo(Path.Combine(Path.GetDirectoryName(graph.OnnxPath)!, "weights.bin")).Length;

        var estimate = MemoryEstimate.Of(architecture, architecture.ReadConfig(json), Precisions.OfGraph(precision), context: 64, slots: 2, chunk: 16);

        Assert.InRange(bytes, estimate.Weights, estimate.Weights + (40 * 4096)); // tensors begin at multiples of 4096
        Assert.Equal(2L * 64 * graph.Shape.KvBytesPerToken, estimate.Cache);
    }

    [Fact]
    public void The_refusal_says_what_is_needed_and_what_there_is()
    {
        var budget = new MemoryBudget(Options.Create(new ServingOptions { MemoryMiB = 100 }), Options.Create(new EngineOptions()));

        budget.Check(new MemoryEstimate(50 << 20, 40 << 20, 10 << 20, 64, 1));
        var refusal = Assert.Throws<LlmOsException>(() => budget.Check(new MemoryEstimate(50 << 20, 40 << 20, 11 << 20, 64, 1)));

        Assert.Equal(ErrorCode.OutOfMemory, refusal.Code);
        Assert.Contains("needs 101 MiB (50 MiB weights, 40 MiB keys and values, 11 MiB working values); all models together may take 100 MiB", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_that_could_never_be_loaded_is_refused_from_its_header_alone()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "huge")).FullName;
        // No weights lie there: the refusal comes before anybody looks for them.
        File.WriteAllText(Path.Combine(folder, "config.json"), TinyModel.ConfigJson.Replace("\"num_hidden_layers\":2", "\"num_hidden_layers\":4000", StringComparison.Ordinal).Replace("\"hidden_size\":32,\"intermediate_size\":48", "\"hidden_size\":16384,\"intermediate_size\":65536", StringComparison.Ordinal));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _world.ImportAsync(new ImportRequest { Source = $"file:{folder}", Name = "huge", Precision = "int4" }));

        Assert.Equal(ErrorCode.OutOfMemory, refusal.Code);
    }

    [Fact]
    public void A_gguf_file_is_known_by_its_header()
    {
        var path = SharedFolder.Require("models", "smollm2-135m-instruct", "SmolLM2-135M-Instruct.Q4_1.gguf");

        var json = SourceLayout.ReadConfig(path, p => p);

        var architecture = Architectures.Of(json!);
        var config = architecture.ReadConfig(json!);
        Assert.Equal(134_515_008, architecture.Weights(config).Sum(t => t.Elements));
        var options = new EngineOptions();
        var full = MemoryEstimate.Of(architecture, config, WeightPrecision.F32, 2048, 1, options.PrefillChunk);
        var four = MemoryEstimate.Of(architecture, config, WeightPrecision.FourBit, 2048, 1, options.PrefillChunk);
        Assert.InRange(full.Weights, 538_000_000, 545_000_000);
        Assert.InRange(four.Weights, 90_000_000, 120_000_000);
        Assert.Equal(94_371_840, full.Cache); // 2048 tokens of 30 layers, 3 heads of 64, keys and values, f32
    }

    [Fact]
    public void An_encoder_is_counted_with_the_scores_of_a_whole_text()
    {
        var model = new RecordedModel("modernbert-model"); // 4 heads, texts of 64 tokens
        long Working(int context) => MemoryEstimate.Of(model.Architecture, model.Config, WeightPrecision.F32, context, slots: 1, chunk: 1).Activations;

        Assert.Equal(4 * ((64 * 64) - (32 * 32)) * sizeof(float), Working(8192) - Working(32));
    }
}
