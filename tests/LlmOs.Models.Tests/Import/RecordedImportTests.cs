using LlmOs.Contracts;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;

namespace LlmOs.Models.Tests.Import;

/// <summary>Every model of <c>tests/recorded</c> as a folder: config.json and weights under the names that transformers stores.</summary>
public sealed class RecordedImportTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_folder_of_each_architecture_becomes_a_version_that_opens_at_every_precision()
    {
        var names = Directory.EnumerateFiles(RecordedModel.Root, "*.json").Select(path => Path.GetFileNameWithoutExtension(path)).ToList();
        Assert.True(names.Count >= 40, $"Only {names.Count} models.");
        foreach (var name in names)
        {
            var model = new RecordedModel(name);
            var folder = Write(name, model, model.ConfigText);

            await _world.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = name });

            await using var db = await _world.DbAsync();
            var view = (await ModelResolver.ResolveAsync(db, name, CancellationToken.None)).ToView();
            Assert.Equal((model.Architecture.ClassName, model.Architecture.Task), (view.Architecture, view.Task));
            foreach (var precision in new[] { "f32", "int8", "int4" })
            {
                Assert.NotNull(await _world.Get<ServingGraphs>().OpenAsync(view.Files, precision, CancellationToken.None));
            }
        }
    }

    /// <remarks>all-mpnet-base-v2 is published so: its class is the masked language model's, its weights are the encoder's.</remarks>
    [Theory]
    [InlineData("mpnet-model", "MPNetModel", "MPNetForMaskedLM", "feature-extraction")]
    [InlineData("mpnet-masked-lm", "MPNetForMaskedLM", "MPNetForMaskedLM", "fill-mask")]
    [InlineData("modernbert-model", "ModernBertModel", "ModernBertForMaskedLM", "feature-extraction")]
    public async Task A_folder_of_sentence_transformers_without_the_head_that_it_names_is_an_encoder(string name, string recorded, string named, string task)
    {
        var model = new RecordedModel(name);
        var folder = Write("sentences", model, model.ConfigText.Replace($"\"{recorded}\"", $"\"{named}\"", StringComparison.Ordinal));
        File.WriteAllText(
            Path.Combine(folder, "modules.json"),
            """[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"name":"1","path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]""");
        Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
        File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), """{"word_embedding_dimension":16,"pooling_mode_mean_tokens":true}""");

        await _world.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "sentences" });

        await using var db = await _world.DbAsync();
        var view = (await ModelResolver.ResolveAsync(db, "sentences", CancellationToken.None)).ToView();
        Assert.Equal(task, view.Task);
        Assert.NotNull(await _world.Get<ServingGraphs>().OpenAsync(view.Files, view.Precision, CancellationToken.None));
    }

    private string Write(string name, RecordedModel model, string config)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_world.Folder.Import, name)).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), config);
        model.WriteWeights(Path.Combine(folder, "model.safetensors"));
        return folder;
    }
}
