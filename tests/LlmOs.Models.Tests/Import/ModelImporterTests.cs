using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tests.Import;

/// <summary>A folder becomes a version, or a refusal with a code of the contract and nothing listed.</summary>
public sealed class ModelImporterTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_folder_becomes_a_version_that_can_be_served()
    {
        var folder = _world.WriteModel("tiny");
        File.WriteAllText(Path.Combine(folder, "README.md"), "---\nlicense: mit\n---\n# Tiny\n");
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "not part of the layout");

        var result = await ImportAsync(folder, "tiny");

        await using var db = await _world.DbAsync();
        var version = await ModelResolver.ResolveAsync(db, "tiny", CancellationToken.None);
        var view = version.ToView();
        Assert.Equal(new ModelJobResult("tiny", 1, "tiny:1"), result);
        Assert.Equal(("text-generation", "LlamaForCausalLM", "f32", "mit"), (view.Task, view.Architecture, view.Precision, view.License));
        Assert.Equal((64, 40, 16800L), (view.ContextLength, view.Vocabulary, view.Parameters));
        Assert.Equal(["README.md", "config.json", "model.safetensors"], view.Files.Select(f => f.Path));
        Assert.Equal(view.Files.Sum(f => f.Bytes), view.Bytes);
        Assert.Equal("job_test", view.Lineage.Job);

        var graph = (ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(view.Files, view.Precision, CancellationToken.None);
        using var run = new GraphRun(graph);
        var plain = new PlainLlama(TinyModel.Config, new RandomWeights(TinyModel.Config, seed: 1)).Forward([1, 2, 3]);
        Assert.All(plain[2].Zip(run.Forward([1, 2, 3])[2]), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
    }

    [Theory]
    [InlineData("hf-tiny", "llama-gqa")]
    [InlineData("hf-tiny", "llama-rope3-tied")]
    [InlineData("stories260K", "hf")]
    public async Task Published_models_are_imported(string group, string name)
    {
        var source = SharedFolder.Require("models", group, name);
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, name)).FullName;
        foreach (var file in Directory.GetFiles(source))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var result = await ImportAsync(folder, name);

        Assert.Equal(1, result.Version);
    }

    [Fact]
    public async Task Shards_are_imported_by_their_index()
    {
        var folder = _world.WriteModel("sharded");
        Shard(folder, second: "model-00002-of-00002.safetensors");

        await ImportAsync(folder, "sharded");

        await using var db = await _world.DbAsync();
        var version = await ModelResolver.ResolveAsync(db, "sharded", CancellationToken.None);
        Assert.Equal(
            ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"],
            version.Files.Select(f => f.Path).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("f16")]
    [InlineData("int8")]
    public async Task Weights_that_a_file_notes_as_copies_are_found_at_every_precision(string precision)
    {
        var folder = _world.WriteModel("noted");
        var all = LlamaWeights.Of(TinyModel.Config);
        using (var stream = File.Create(Path.Combine(folder, "model.safetensors")))
        {
            // As safetensors' save_model writes a tied model: the head is kept, the embedding noted.
            List<TensorInfo> kept = [.. all.Skip(1), all[0] with { Name = LlamaWeights.Head }];
            var writer = new SafetensorsWriter(stream, kept, new Dictionary<string, string> { ["format"] = "pt", [LlamaWeights.Embedding] = LlamaWeights.Head });
            kept.ForEach(t => writer.Write(t.Name, Enumerable.Range(0, (int)t.Elements).Select(i => (i % 7) / 8f).ToArray()));
            writer.Complete();
        }

        File.WriteAllText(Path.Combine(folder, "config.json"), TinyModel.ConfigJson.Replace("\"tie_word_embeddings\":true", "\"tie_word_embeddings\":false", StringComparison.Ordinal));

        Assert.Equal(1, (await _world.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "noted", Precision = precision })).Version);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("model.safetensors")]
    public async Task A_pointer_of_Git_LFS_in_the_place_of_a_file_is_named_as_one(string file)
    {
        var folder = _world.WriteModel("pointer");
        File.WriteAllText(Path.Combine(folder, file), "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4711\n");

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, "pointer"));

        Assert.Equal(ErrorCode.CorruptFile, refusal.Code);
        Assert.StartsWith($"{file} is a Git LFS pointer", refusal.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, ErrorCode, string> Faults => new()
    {
        { "no config", ErrorCode.MissingFile, "config.json" },
        { "no weights", ErrorCode.MissingFile, "model.safetensors" },
        { "pickle", ErrorCode.UnsupportedFormat, "pytorch_model.bin" },
        { "absent shard", ErrorCode.MissingFile, "gone.safetensors" },
        { "shard with a path", ErrorCode.CorruptFile, "../other/model.safetensors" },
        { "bad index", ErrorCode.CorruptFile, "weight_map" },
        { "index names too much", ErrorCode.CorruptFile, "model.extra.weight" },
        { "truncated weights", ErrorCode.CorruptFile, "model.safetensors" },
        { "missing weight", ErrorCode.CorruptFile, "1 missing: model.norm.weight" },
        { "left-over weight", ErrorCode.CorruptFile, "1 left over: model.layers.9.extra" },
        { "whole numbers", ErrorCode.CorruptFile, "missing" },
        { "other architecture", ErrorCode.UnsupportedArchitecture, "MambaForCausalLM" },
        { "other option", ErrorCode.UnsupportedArchitecture, "hidden_act" },
        { "config not json", ErrorCode.CorruptFile, "config.json" },
        { "odd tokenizer", ErrorCode.UnsupportedFormat, "Morpheme" },
        { "bad generation config", ErrorCode.CorruptFile, "eos_token_id" },
        { "huge config", ErrorCode.TooLarge, "config.json" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_folder_that_cannot_be_used_is_refused_with_its_reason_and_nothing_is_listed(string fault, ErrorCode code, string word)
    {
        var folder = _world.WriteModel("bad");
        Break(folder, fault);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, "bad"));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(word, refusal.Message);
        await using var db = await _world.DbAsync();
        Assert.False(await db.Models.AnyAsync());
        Assert.Empty(Directory.GetFiles(_world.Folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("hf:name", ErrorCode.InvalidRequest)]
    [InlineData("https://example.org/model.gguf", ErrorCode.NotAllowed)]
    [InlineData("http://huggingface.co/model.gguf", ErrorCode.NotAllowed)]
    [InlineData("https://user:secret@huggingface.co/model.gguf", ErrorCode.InvalidRequest)]
    [InlineData("upload:upload_none", ErrorCode.MissingFile)]
    [InlineData("s3:bucket/model", ErrorCode.UnsupportedFormat)]
    [InlineData("nonsense", ErrorCode.InvalidRequest)]
    [InlineData("file:relative/path", ErrorCode.InvalidRequest)]
    [InlineData("file:/etc", ErrorCode.NotAllowed)]
    [InlineData("file:{import}/../..", ErrorCode.NotAllowed)]
    [InlineData("file:{import}-beside", ErrorCode.NotAllowed)]
    [InlineData("file:{import}/absent", ErrorCode.MissingFile)]
    [InlineData("file:{import}/one.h5", ErrorCode.UnsupportedFormat)]
    public async Task A_source_that_may_not_or_cannot_be_read_is_refused(string source, ErrorCode code)
    {
        File.WriteAllText(Path.Combine(_world.Folder.Import, "one.h5"), "HDF");

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
            _world.ImportAsync(new ImportRequest { Source = source.Replace("{import}", _world.Folder.Import), Name = "m" }));

        Assert.Equal((code, "source"), (refusal.Code, refusal.Field));
    }

    [Fact]
    public async Task A_link_that_leads_out_of_the_import_folders_is_not_followed()
    {
        var outside = Path.Combine(_world.Folder.Root, "outside");
        TinyModel.Write(outside, seed: 1);
        Directory.CreateSymbolicLink(Path.Combine(_world.Folder.Import, "door"), outside);
        var half = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "half")).FullName;
        File.Copy(Path.Combine(outside, "config.json"), Path.Combine(half, "config.json"));
        File.CreateSymbolicLink(Path.Combine(half, "model.safetensors"), Path.Combine(outside, "model.safetensors"));
        Directory.CreateSymbolicLink(Path.Combine(_world.Folder.Import, "loop"), Path.Combine(_world.Folder.Import, "loop"));

        foreach (var name in new[] { "door", "half", "loop" })
        {
            var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(Path.Combine(_world.Folder.Import, name), "m"));
            Assert.Equal(ErrorCode.NotAllowed, refusal.Code);
        }
    }

    [Fact]
    public async Task A_link_that_stays_beneath_the_import_folders_is_followed()
    {
        var real = _world.WriteModel("real");
        Directory.CreateSymbolicLink(Path.Combine(_world.Folder.Import, "link"), real);

        Assert.Equal(1, (await ImportAsync(Path.Combine(_world.Folder.Import, "link"), "m")).Version);
    }

    [Theory]
    [InlineData("Bad Name", null, null, null, ErrorCode.InvalidRequest, "name")]
    [InlineData("m", "int5", null, null, ErrorCode.InvalidRequest, "precision")]
    [InlineData("m", null, "fill-mask", null, ErrorCode.UnsupportedTask, "task")]
    [InlineData("m", null, null, "12", ErrorCode.InvalidRequest, "alias")]
    public async Task What_is_asked_for_and_cannot_be_had_is_refused_by_field(string name, string? precision, string? task, string? alias, ErrorCode code, string field)
    {
        var folder = _world.WriteModel("good");

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() =>
            _world.ImportAsync(new ImportRequest { Source = $"file:{folder}", Name = name, Precision = precision, Task = task, Alias = alias }));

        Assert.Equal((code, field), (refusal.Code, refusal.Field));
    }

    private async Task<ModelJobResult> ImportAsync(string folder, string name)
    {
        var publish = await _world.ImportAsync(new ImportRequest { Source = $"file:{folder}", Name = name });
        await using var db = await _world.DbAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        var result = (ModelJobResult)await publish(db, CancellationToken.None);
        await transaction.CommitAsync();
        return result;
    }

    private static void Break(string folder, string fault)
    {
        string At(string name) => Path.Combine(folder, name);
        var needed = LlamaWeights.Of(TinyModel.Config);
        switch (fault)
        {
            case "no config": File.Delete(At("config.json")); break;
            case "no weights": File.Delete(At("model.safetensors")); break;
            case "pickle": File.Move(At("model.safetensors"), At("pytorch_model.bin")); break;
            case "absent shard": Shard(folder, second: "gone.safetensors"); File.Delete(At("gone.safetensors")); break;
            case "shard with a path": File.WriteAllText(At("model.safetensors.index.json"), """{"weight_map":{"a":"../other/model.safetensors"}}"""); break;
            case "bad index": File.WriteAllText(At("model.safetensors.index.json"), """{"weight_map":[]}"""); break;
            case "index names too much":
                File.WriteAllText(At("model.safetensors.index.json"), """{"weight_map":{"model.extra.weight":"model.safetensors"}}""");
                break;
            case "truncated weights":
                using (var file = new FileStream(At("model.safetensors"), FileMode.Open))
                {
                    file.SetLength(file.Length - 1);
                }

                break;
            case "missing weight": TinyModel.WriteWeights(At("model.safetensors"), [.. needed.SkipLast(1)], seed: 1); break;
            case "left-over weight":
                TinyModel.WriteWeights(At("model.safetensors"), [.. needed, new TensorInfo("model.layers.9.extra", TensorType.F32, [2])], seed: 1);
                break;
            case "whole numbers":
                var header = """{"model.norm.weight":{"dtype":"I8","shape":[32],"data_offsets":[0,32]}}""";
                File.WriteAllBytes(At("model.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. System.Text.Encoding.UTF8.GetBytes(header), .. new byte[32]]);
                break;
            case "other architecture": Edit("LlamaForCausalLM", "MambaForCausalLM"); break;
            case "other option": Edit("\"rms_norm_eps\"", "\"hidden_act\":\"mish\",\"rms_norm_eps\""); break;
            case "config not json": File.WriteAllText(At("config.json"), "{"); break;
            case "odd tokenizer": File.WriteAllText(At("tokenizer.json"), """{"version":"1.0","added_tokens":[],"model":{"type":"Morpheme","vocab":{"a":0}}}"""); break;
            case "bad generation config": File.WriteAllText(At("generation_config.json"), """{"eos_token_id":"two"}"""); break;
            case "huge config": File.WriteAllText(At("config.json"), new string(' ', ConfigJson.MaxBytes + 1)); break;
            default: throw new ArgumentException(fault);
        }

        void Edit(string from, string to) => File.WriteAllText(At("config.json"), TinyModel.ConfigJson.Replace(from, to));
    }

    /// <summary>Spreads the tiny model's weights over two files.</summary>
    private static void Shard(string folder, string second)
    {
        var needed = LlamaWeights.Of(TinyModel.Config);
        const string First = "model-00001-of-00002.safetensors";
        TinyModel.WriteWeights(Path.Combine(folder, First), [.. needed.Take(5)], seed: 1);
        TinyModel.WriteWeights(Path.Combine(folder, second), [.. needed.Skip(5)], seed: 2);
        File.Delete(Path.Combine(folder, "model.safetensors"));
        var map = string.Join(',', needed.Select((t, i) => $"\"{t.Name}\":\"{(i < 5 ? First : second)}\""));
        File.WriteAllText(Path.Combine(folder, "model.safetensors.index.json"), $"{{\"metadata\":{{}},\"weight_map\":{{{map}}}}}");
    }
}
