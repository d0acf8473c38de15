using System.IO.Compression;
using System.Text.Json;
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

namespace LlmOs.Models.Tests.Import;

/// <summary>Every kind of source becomes a version: folders, GGUF files, archives, in every precision.</summary>
public sealed class SourceLayoutTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("f32")]
    [InlineData("f16")]
    [InlineData("int8")]
    [InlineData("int4")]
    public async Task A_folder_is_imported_in_every_precision(string precision)
    {
        var version = await ImportAsync(_world.WriteModel("tiny"), precision);

        Assert.Equal(precision, version.Precision);
        var graph = (ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(version.ToView().Files, version.Precision, CancellationToken.None);
        using var run = new GraphRun(graph);
        var plain = new PlainLlama(TinyModel.Config, new RandomWeights(TinyModel.Config, seed: 1)).Forward([1, 2, 3]);
        var max = precision switch { "f32" => 1e-4, "f16" => 5e-3, "int8" => 0.1, _ => 1 };
        Assert.All(plain[2].Zip(run.Forward([1, 2, 3])[2]), pair => Assert.Equal(pair.First, pair.Second, max));
    }

    [Fact]
    public async Task Half_precision_is_stored_as_such()
    {
        var version = await ImportAsync(_world.WriteModel("tiny"), "f16");

        using var weights = SafetensorsFile.Open(PathOf(version, "model.safetensors"));
        Assert.All(weights.Tensors, t => Assert.Equal(TensorType.F16, t.Type));
        using var config = JsonDocument.Parse(File.ReadAllBytes(PathOf(version, "config.json")));
        Assert.Equal("float16", config.RootElement.GetProperty("torch_dtype").GetString());
    }

    [Fact]
    public async Task A_weight_that_half_precision_cannot_hold_is_refused()
    {
        var folder = _world.WriteModel("tiny");
        var tensors = LlamaWeights.Of(TinyModel.Config);
        using (var stream = File.Create(Path.Combine(folder, "model.safetensors")))
        {
            var writer = new SafetensorsWriter(stream, tensors);
            foreach (var tensor in tensors)
            {
                writer.Write(tensor.Name, [.. Enumerable.Repeat(tensor.Name.Contains("mlp.up", StringComparison.Ordinal) ? 70_000f : 0.5f, (int)tensor.Elements)]);
            }

            writer.Complete();
        }

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder, "f16"));

        Assert.Equal(ErrorCode.UnsupportedFormat, refusal.Code);
        Assert.Contains("mlp.up_proj.weight", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("file")]
    [InlineData("folder")]
    [InlineData("zip")]
    [InlineData("split")]
    public async Task A_gguf_model_is_imported_from_a_file_a_folder_or_an_archive(string kind)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "gguf")).FullName;
        var source = kind == "split" ? WriteSplit(folder) : Gguf().WriteTo(Path.Combine(folder, "m.gguf"));
        if (kind == "folder")
        {
            source = folder;
        }
        else if (kind == "zip")
        {
            source = Path.Combine(_world.Folder.Import, "m.zip");
            ZipFile.CreateFromDirectory(folder, source);
        }

        var version = await ImportAsync(source);

        Assert.Equal(["README.md", "chat_template.jinja", "config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"], version.Files.Select(f => f.Path).Order(StringComparer.Ordinal));
        Assert.Equal("mit", version.License);
        Assert.Empty(Directory.GetFiles(_world.Folder.Scratch, "*.safetensors", SearchOption.AllDirectories)); // moved, not copied
    }

    [Fact]
    public async Task Importing_what_was_downloaded_gives_the_same_files()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "gguf")).FullName;
        var first = await ImportAsync(Gguf().WriteTo(Path.Combine(folder, "m.gguf")), "int4");
        var again = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "again")).FullName;
        foreach (var file in first.Files)
        {
            File.Copy(_world.Get<ArtifactStore>().PathOf(file.Sha256), Path.Combine(again, file.Path));
        }

        var second = await ImportAsync(again, "int4");

        Assert.Equal(first.Digest, second.Digest);
        Assert.Equal(
            (await _world.Get<ServingGraphs>().OpenAsync(first.ToView().Files, "int4", CancellationToken.None)).OnnxPath,
            (await _world.Get<ServingGraphs>().OpenAsync(second.ToView().Files, "int4", CancellationToken.None)).OnnxPath);
    }

    [Fact]
    public async Task A_folder_with_several_gguf_models_asks_for_one()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "gguf")).FullName;
        Gguf().WriteTo(Path.Combine(folder, "a.gguf"));
        Gguf().WriteTo(Path.Combine(folder, "b.gguf"));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder));

        Assert.Equal(ErrorCode.UnsupportedFormat, refusal.Code);
        Assert.Contains("a.gguf, b.gguf", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_part_of_a_split_file_is_named()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "gguf")).FullName;
        var first = WriteSplit(folder);
        File.Delete(Path.Combine(folder, "m-00002-of-00002.gguf"));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(first));

        Assert.Equal(ErrorCode.MissingFile, refusal.Code);
        Assert.Contains("m-00002-of-00002.gguf", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gguf_vocabulary_that_is_not_read_is_refused_by_its_name()
    {
        var source = Weights(Metadata(new GgufBytes(), vocabulary: "rwkv"), _ => true).WriteTo(Path.Combine(_world.Folder.Import, "m.gguf"));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(source));

        Assert.Equal(ErrorCode.UnsupportedFormat, refusal.Code);
        Assert.Contains("tokenizer.ggml.model is \"rwkv\"", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_another_kind_is_refused()
    {
        var path = Path.Combine(_world.Folder.Import, "model.h5");
        await File.WriteAllTextAsync(path, "HDF");

        Assert.Equal(ErrorCode.UnsupportedFormat, (await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(path))).Code);
    }

    [Fact]
    public async Task A_part_that_is_a_link_to_another_place_is_refused()
    {
        using var outside = new TempFolder();
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, "gguf")).FullName;
        File.CreateSymbolicLink(Path.Combine(folder, "m.gguf"), Gguf().WriteTo(outside.At("m.gguf")));

        Assert.Equal(ErrorCode.NotAllowed, (await Assert.ThrowsAsync<LlmOsException>(() => ImportAsync(folder))).Code);
    }

    private async Task<ModelVersion> ImportAsync(string source, string precision = "f32")
    {
        var publish = await _world.ImportAsync(new ImportRequest { Source = $"file:{source}", Name = "m", Precision = precision });
        await using var db = await _world.DbAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await publish(db, CancellationToken.None);
        await transaction.CommitAsync();
        return await ModelResolver.ResolveAsync(db, "m", CancellationToken.None);
    }

    private string PathOf(ModelVersion version, string file) => _world.Get<ArtifactStore>().PathOf(version.FindFile(file)!.Sha256);

    private static GgufBytes Gguf() => Weights(Metadata(new GgufBytes()), _ => true);

    private static string WriteSplit(string folder)
    {
        string Part(int number, GgufBytes bytes) => bytes
            .Pair("split.no", 2, w => w.Write((ushort)(number - 1))).Pair("split.count", 2, w => w.Write((ushort)2))
            .WriteTo(Path.Combine(folder, $"m-{number:D5}-of-00002.gguf"));
        Part(2, Weights(new GgufBytes(), name => name.Contains("layers.1", StringComparison.Ordinal)));
        return Part(1, Weights(Metadata(new GgufBytes()), name => !name.Contains("layers.1", StringComparison.Ordinal)));
    }

    private static GgufBytes Metadata(GgufBytes gguf, string vocabulary = "llama") => gguf
        .Pair("general.architecture", "llama").Pair("general.license", "mit").Pair("general.name", "Tiny")
        .Pair("llama.block_count", 2u).Pair("llama.context_length", 64u).Pair("llama.embedding_length", 32u).Pair("llama.feed_forward_length", 48u)
        .Pair("llama.attention.head_count", 2u).Pair("llama.attention.head_count_kv", 1u).Pair("llama.attention.layer_norm_rms_epsilon", 1e-5f)
        .Pair("tokenizer.ggml.model", vocabulary).Pair("tokenizer.ggml.bos_token_id", 1u).Pair("tokenizer.ggml.eos_token_id", 2u)
        .Pair("tokenizer.chat_template", "{{ messages[0].content }}")
        .List("tokenizer.ggml.tokens", [.. Enumerable.Range(0, 40).Select(i => i switch { 0 => "<unk>", 1 => "<s>", 2 => "</s>", _ => $"t{i}" })])
        .List("tokenizer.ggml.scores", new float[40])
        .List("tokenizer.ggml.token_type", [.. Enumerable.Range(0, 40).Select(i => i switch { 0 => 2, 1 or 2 => 3, _ => 1 })]);

    private static GgufBytes Weights(GgufBytes gguf, Func<string, bool> wanted)
    {
        var weights = new RandomWeights(TinyModel.Config, seed: 1);
        foreach (var tensor in weights.Tensors.Where(t => wanted(t.Name)))
        {
            var values = new float[tensor.Elements];
            weights.Read(tensor.Name, 0, values);
            var parts = tensor.Name.Split('.');
            gguf.Tensor(
                tensor.Name switch
                {
                    "model.embed_tokens.weight" => "token_embd.weight",
                    "model.norm.weight" => "output_norm.weight",
                    _ => $"blk.{parts[2]}." + parts[^2] switch
                    {
                        "input_layernorm" => "attn_norm",
                        "post_attention_layernorm" => "ffn_norm",
                        "q_proj" => "attn_q",
                        "k_proj" => "attn_k",
                        "v_proj" => "attn_v",
                        "o_proj" => "attn_output",
                        "gate_proj" => "ffn_gate",
                        "up_proj" => "ffn_up",
                        _ => "ffn_down",
                    } + ".weight",
                },
                [.. tensor.Shape],
                values);
        }

        return gguf;
    }
}
