using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Tools.Training.Child;

namespace LlmOs.Trainer.Tests.Run;

/// <summary>Trainings that start from a model that is there, and those that end by themselves.</summary>
public sealed class ContinuedTrainingTests : IDisposable
{
    private readonly TrainerFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_base_goes_on_from_its_weights_with_its_own_tokenizer_and_configuration()
    {
        var (_, first) = await _folder.RunAsync(TrainerFolder.Request());
        var learnt = first.OfType<TrainerCompleted>().Single().ValidationLoss!.Value;
        var model = Path.Combine(_folder.Path, "base");
        Directory.Move(_folder.Result, model);
        _folder.Clear();

        var request = TrainerFolder.Request(steps: 5) with { Base = "tiny:1", Architecture = null, Tokenizer = null, Window = 16, BatchTokens = 256, LearningRate = 1e-4, Validation = 0 };
        var (exit, events) = await TrainerFolder.GoOnAsync(_folder.JobOf(request) with { BaseFolder = model });

        Assert.Equal(TrainerExit.Done, exit);
        Assert.InRange(events.OfType<TrainerProgress>().First().Loss!.Value, 0, learnt + 0.5); // ln 320 = 5.8 without the weights
        Assert.True(TrainerFolder.Same(await ReadAsync(model, "tokenizer.json"), await ReadAsync(_folder.Result, "tokenizer.json")));
        Assert.Equal(32, JsonDocument.Parse(await ReadAsync(_folder.Result, "config.json")).RootElement.GetProperty("max_position_embeddings").GetInt32());
        Assert.False(TrainerFolder.Same(await ReadAsync(model, "model.safetensors"), await ReadAsync(_folder.Result, "model.safetensors")));
    }

    [Fact]
    public async Task A_new_model_may_take_the_tokenizer_of_a_stored_one()
    {
        await _folder.RunAsync(TrainerFolder.Request(steps: 2));
        var model = Path.Combine(_folder.Path, "other");
        Directory.Move(_folder.Result, model);
        _folder.Clear();

        var request = TrainerFolder.Request(steps: 2) with { Tokenizer = new TokenizerChoice { Stored = "other:1" } };
        var (exit, _) = await TrainerFolder.GoOnAsync(_folder.JobOf(request) with { TokenizerFolder = model, StoredVocabulary = 320 });

        Assert.Equal(TrainerExit.Done, exit);
        foreach (var file in new[] { "tokenizer.json", "tokenizer_config.json" })
        {
            Assert.True(TrainerFolder.Same(await ReadAsync(model, file), await ReadAsync(_folder.Result, file)));
        }
    }

    [Fact]
    public async Task A_training_that_only_memorises_ends_early_and_keeps_its_best_weights()
    {
        var random = new Random(7);
        await File.WriteAllTextAsync(_folder.Text, string.Concat(Enumerable.Range(0, 3_000).Select(_ => (char)('a' + random.Next(26)))), Cancel);
        var request = TrainerFolder.Request(steps: 400) with { Validation = 0.3, ValidateEvery = 5, Patience = 2, CheckpointEvery = 400, LearningRate = 1e-2, Warmup = 0 };

        var (exit, events) = await _folder.RunAsync(request);

        Assert.Equal(TrainerExit.Done, exit);
        var completed = Assert.IsType<TrainerCompleted>(events[^1]);
        Assert.InRange(completed.Steps, 10, 200);
        Assert.Equal(completed.Steps - 10, completed.KeptStep);
        using var history = JsonDocument.Parse(await ReadAsync(_folder.Result, "training.json"));
        var losses = history.RootElement.GetProperty("validation").EnumerateArray().ToDictionary(v => v.GetProperty("step").GetInt64(), v => v.GetProperty("loss").GetDouble());
        Assert.Equal(losses.Values.Min(), losses[completed.KeptStep]);
        Assert.Equal(losses[completed.KeptStep], completed.ValidationLoss);
        Assert.True(TrainerFolder.Same(
            await ReadAsync(Path.Combine(_folder.Checkpoints, $"step-{completed.KeptStep:d8}"), "model.safetensors"), await ReadAsync(_folder.Result, "model.safetensors")));
    }

    [Fact]
    public async Task Samples_are_written_at_each_validation_and_change_nothing_in_the_training()
    {
        var request = TrainerFolder.Request(steps: 20) with { ValidateEvery = 10, Samples = ["The king", ""] };
        var (_, events) = await _folder.RunAsync(request);
        var weights = await ReadAsync(_folder.Result, "model.safetensors");

        await _folder.RunAsync(request with { Samples = [] });

        Assert.Equal([(10, "The king"), (10, ""), (20, "The king"), (20, "")], events.OfType<TrainerSample>().Select(s => ((int)s.Step, s.Prompt)));
        Assert.All(events.OfType<TrainerSample>(), s => Assert.NotEmpty(s.Text));
        Assert.True(TrainerFolder.Same(weights, await ReadAsync(_folder.Result, "model.safetensors")));
    }

    public void Dispose() => _folder.Dispose();

    private static Task<byte[]> ReadAsync(string folder, string file) => File.ReadAllBytesAsync(Path.Combine(folder, file), Cancel);
}
