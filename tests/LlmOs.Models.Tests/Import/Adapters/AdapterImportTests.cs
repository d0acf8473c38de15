using System.Text.Json;
using System.Text.Json.Nodes;
using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;

namespace LlmOs.Models.Tests.Import.Adapters;

/// <summary>A PEFT folder becomes a version of its base with the adapter merged: peft's own numbers, or a refusal by name.</summary>
public sealed class AdapterImportTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("gpt2", "gpt2-all")]
    [InlineData("gpt2", "gpt2-attn-rslora")]
    [InlineData("llama", "llama-all")]
    [InlineData("llama", "llama-qv-rslora")]
    [InlineData("llama", "llama-patterns")]
    public async Task Merged_weights_and_logits_are_pefts(string model, string adapter)
    {
        using var recorded = SafetensorsFile.Open(SharedFolder.Require("vectors", "training", "lora", "lora.safetensors"));
        await ImportAsync(Take("base", "vectors", "training", "models", model), "base");

        var version = await ImportAsync(Take(adapter, "vectors", "training", "lora", "adapters", adapter), "tuned", "base");

        using var merged = SafetensorsFile.Open(PathOf(version, "model.safetensors"));
        var tensors = recorded.Tensors.Where(t => t.Name.StartsWith($"{adapter}/merged/", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, tensors.Count);
        foreach (var tensor in tensors)
        {
            Assert.Equal(Values(recorded, tensor.Name), Values(merged, tensor.Name[$"{adapter}/merged/".Length..]), Near(1e-6));
        }

        using var inputs = JsonDocument.Parse(File.ReadAllBytes(SharedFolder.Require("vectors", "training", "lora", "lora.json")));
        var rows = inputs.RootElement.GetProperty("inputs").GetProperty(model).EnumerateArray().Select(ReferenceCase.Ints).ToList();
        var logits = Values(recorded, $"{adapter}/logits");
        var graph = (ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(version.ToView().Files, version.Precision, CancellationToken.None);
        var perRow = logits.Length / rows.Count;
        for (var i = 0; i < rows.Count; i++)
        {
            using var run = new GraphRun(graph);
            Assert.Equal(logits[(i * perRow)..((i + 1) * perRow)], run.Forward(rows[i]).SelectMany(row => row).ToArray(), Near(1e-4));
        }
    }

    [Fact]
    public async Task The_update_and_whole_weights_are_added_as_the_published_rule_says()
    {
        await ImportAsync(_world.WriteModel("base"), "base");
        var folder = WriteAdapter("lora");

        var version = await ImportAsync(folder, "tuned", "base:1");

        using var merged = SafetensorsFile.Open(PathOf(version, "model.safetensors"));
        var weights = new RandomWeights(TinyModel.Config, seed: 1);
        const string Module = "model.layers.1.mlp.down_proj"; // [32, 48]
        var expected = Values(weights, Module + ".weight");
        for (var row = 0; row < 32; row++)
        {
            for (var column = 0; column < 48; column++)
            {
                var product = Enumerable.Range(0, 2).Sum(k => (double)ValueOf(B, (row * 2) + k) * ValueOf(A, (k * 48) + column));
                expected[(row * 48) + column] += (float)(product * 3 / Math.Sqrt(2)); // alpha 3, rank 2, rslora
            }
        }

        Assert.Equal(expected, Values(merged, Module + ".weight"), Near(1e-6));
        Assert.Equal(Enumerable.Range(0, 32).Select(i => 1f + (i / 100f)), Values(merged, "model.norm.weight"));
        Assert.Equal(Values(weights, "model.layers.0.mlp.down_proj.weight"), Values(merged, "model.layers.0.mlp.down_proj.weight"));
        Assert.Equal(["README.md", "config.json", "model.safetensors"], version.Files.Select(f => f.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task It_descends_from_its_base_and_is_asked_for_beside_it()
    {
        var folder = _world.WriteModel("base");
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nlicense: apache-2.0\n---\n# Base\n");
        await ImportAsync(folder, "base");
        await ImportAsync(_world.WriteModel("other", seed: 2), "other");
        var version = await ImportAsync(WriteAdapter("lora"), "tuned", "base", "f16");

        var lineage = version.ToView().Lineage;
        Assert.Equal(("base:1", LineageRelation.Adapter, "apache-2.0"), (lineage.Parent, lineage.Relation, version.License));
        await using var db = await _world.DbAsync();
        Assert.Equal("tuned:1", (await ModelResolver.ResolveAsync(db, "base+tuned", CancellationToken.None)).Ref);
        Assert.Equal("tuned:1", (await ModelResolver.ResolveAsync(db, "base:1+tuned:latest", CancellationToken.None)).Ref);
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ModelResolver.ResolveAsync(db, "other+tuned", CancellationToken.None));
        Assert.Equal((ErrorCode.ModelNotFound, "The adapter 'tuned:1' was merged into 'base:1', not into 'other:1'."), (refusal.Code, refusal.Message));
        using var config = JsonDocument.Parse(File.ReadAllBytes(PathOf(version, "config.json")));
        Assert.Equal("float16", config.RootElement.GetProperty("torch_dtype").GetString());
    }

    [Theory]
    [InlineData("use_dora", "true")]
    [InlineData("lora_bias", "true")]
    [InlineData("layer_replication", "[[0,1],[0,2]]")]
    [InlineData("target_parameters", "[\"mlp.experts.up\"]")]
    [InlineData("trainable_token_indices", "[1]")]
    [InlineData("alora_invocation_tokens", "[1,2]")]
    [InlineData("init_lora_weights", "\"pissa\"")]
    [InlineData("something_new", "{\"on\":true}")]
    [InlineData("peft_type", "\"LOHA\"")]
    [InlineData("rank_pattern", "{\"down_proj\":3}")]
    [InlineData("rank_pattern", "{\"(a\":2}")]
    [InlineData("rank_pattern", "{\"a{9}\":2}")]
    [InlineData("r", "0")]
    public async Task An_option_that_changes_numbers_is_refused_by_its_name(string option, string value)
    {
        await ImportAsync(_world.WriteModel("base"), "base");
        var folder = WriteAdapter("lora", config => config[option] = JsonNode.Parse(value));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, "tuned", "base"));

        Assert.True(refusal.Code is ErrorCode.UnsupportedFormat or ErrorCode.CorruptFile);
        Assert.Contains(option == "rank_pattern" && value.Contains("down_proj", StringComparison.Ordinal) ? "at rank 3" : option == "r" ? "'r'" : option, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no base", ErrorCode.UnsupportedFormat, "hub/tiny", "base")]
    [InlineData("unknown base", ErrorCode.ModelNotFound, "no model 'gone'", "base")]
    [InlineData("no adapter", ErrorCode.UnsupportedFormat, "not an adapter", "base")]
    [InlineData("no weights", ErrorCode.MissingFile, "adapter_model.safetensors", null)]
    [InlineData("pickle", ErrorCode.UnsupportedFormat, "adapter_model.bin", null)]
    [InlineData("half a pair", ErrorCode.CorruptFile, "without", null)]
    [InlineData("embedding", ErrorCode.UnsupportedFormat, "ties its head", null)]
    [InlineData("another model's", ErrorCode.UnsupportedFormat, "model.layers.7.mlp.down_proj.lora_A.weight", null)]
    [InlineData("another size", ErrorCode.CorruptFile, "[2, 40]", null)]
    [InlineData("resized", ErrorCode.UnsupportedFormat, "model.norm.weight", null)]
    public async Task What_does_not_fit_is_refused_with_its_reason(string fault, ErrorCode code, string word, string? field)
    {
        await ImportAsync(_world.WriteModel("base"), "base");
        var folder = fault == "no adapter" ? _world.WriteModel("plain") : WriteAdapter("lora", tensors: fault switch
        {
            "half a pair" => [("model.layers.1.mlp.down_proj.lora_A.weight", [2, 48])],
            "embedding" => [("model.embed_tokens.weight", [40, 32])],
            "another model's" => [("model.layers.7.mlp.down_proj.lora_A.weight", [2, 48]), ("model.layers.7.mlp.down_proj.lora_B.weight", [32, 2])],
            "another size" => [("model.layers.1.mlp.down_proj.lora_A.weight", [2, 40]), ("model.layers.1.mlp.down_proj.lora_B.weight", [32, 2])],
            "resized" => [("model.norm.weight", [33])],
            _ => null,
        });
        var weights = Path.Combine(folder, "adapter_model.safetensors");
        if (fault is "no weights" or "pickle")
        {
            File.Delete(weights);
            File.WriteAllText(Path.Combine(folder, fault == "pickle" ? "adapter_model.bin" : "notes.txt"), "PK");
        }

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, "tuned", fault switch { "no base" => null, "unknown base" => "gone", _ => "base" }));

        Assert.Equal((code, field), (refusal.Code, refusal.Field));
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        await using var db = await _world.DbAsync();
        Assert.DoesNotContain(db.Models, m => m.Name == "tuned");
    }

    private static float ValueOf(int seed, int i) => MathF.Sin((seed * 100) + i);

    private const int A = 1, B = 2;

    /// <summary>An adapter of the tiny model: rslora on one module, and a norm of its own.</summary>
    private string WriteAdapter(string name, Action<JsonObject>? change = null, (string Name, long[] Shape)[]? tensors = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, name)).FullName;
        var config = new JsonObject
        {
            ["peft_type"] = "LORA",
            ["base_model_name_or_path"] = "hub/tiny",
            ["r"] = 8,
            ["lora_alpha"] = 16,
            ["use_rslora"] = true,
            ["use_dora"] = false,
            ["fan_in_fan_out"] = false,
            ["bias"] = "none",
            ["modules_to_save"] = new JsonArray("norm"),
            ["target_modules"] = new JsonArray("down_proj"),
            ["rank_pattern"] = new JsonObject { ["layers.1.mlp.down_proj"] = 2 },
            ["alpha_pattern"] = new JsonObject { [".*1\\.mlp\\.down_proj"] = 3 },
        };
        change?.Invoke(config);
        File.WriteAllText(Path.Combine(folder, "adapter_config.json"), config.ToJsonString());
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nbase_model: hub/tiny\nlibrary_name: peft\n---\n# Tuned\n");
        tensors ??= [("model.layers.1.mlp.down_proj.lora_A.weight", [2, 48]), ("model.layers.1.mlp.down_proj.lora_B.weight", [32, 2]), ("model.norm.weight", [32])];
        var infos = tensors.Select(t => new TensorInfo("base_model.model." + t.Name, TensorType.F32, t.Shape)).ToList();
        using var stream = File.Create(Path.Combine(folder, "adapter_model.safetensors"));
        var writer = new SafetensorsWriter(stream, infos);
        foreach (var info in infos)
        {
            writer.Write(info.Name, [.. Enumerable.Range(0, (int)info.Elements).Select(i => info.Shape.Count == 1 ? 1f + (i / 100f) : ValueOf(info.Name.Contains("lora_A", StringComparison.Ordinal) ? A : B, i))]);
        }

        writer.Complete();
        return folder;
    }

    /// <summary>A copy of a shared folder beneath the import folder.</summary>
    private string Take(string name, params string[] shared)
    {
        var source = SharedFolder.Require(shared);
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, name)).FullName;
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        return folder;
    }

    private async Task<ModelVersion> ImportAsync(string folder, string name, string? parent = null, string precision = "f32")
    {
        // As over HTTP: what the door refuses, it refuses before there is a job.
        var request = new ImportRequest { Source = $"file:{folder}", Name = name, Base = parent, Precision = precision };
        await using var db = await _world.DbAsync();
        await _world.Get<LlmOs.Models.Import.Sources.ImportDoor>().CheckAsync(db, request, CancellationToken.None);
        await _world.ImportAndListAsync(request);
        return await ModelResolver.ResolveAsync(db, name, CancellationToken.None);
    }

    private string PathOf(ModelVersion version, string file) => _world.Get<ArtifactStore>().PathOf(version.FindFile(file)!.Sha256);

    private static float[] Values(IWeightSource source, string name)
    {
        var values = new float[source.Find(name)!.Elements];
        source.Read(name, 0, values);
        return values;
    }

    private static Func<float, float, bool> Near(double tolerance) => (a, b) => Math.Abs(a - b) <= tolerance;
}
