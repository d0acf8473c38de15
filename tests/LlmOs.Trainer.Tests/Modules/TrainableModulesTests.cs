using LlmOs.Contracts;
using LlmOs.Formats;
using LlmOs.Models.Zoo;
using LlmOs.Tools.Training;
using LlmOs.Trainer.Files;
using LlmOs.Trainer.Modules;

namespace LlmOs.Trainer.Tests.Modules;

/// <summary>Whatever layout can be asked for, the trainer has its module, and both sides say the same of it.</summary>
public sealed class TrainableModulesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llmos-layout-").FullName;

    public static TheoryData<string> Layouts => [.. Architectures.Trainable.Select(a => a.ModelType)];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Layouts))]
    public async Task Its_weights_are_those_that_the_architecture_serves(string type)
    {
        var sizes = SizesOf(type);
        var made = await TorchProcess.RunAsync(() =>
        {
            using var module = TrainableModules.New(sizes);
            return module.named_parameters().Select(p => (Name: p.name, Shape: p.parameter.shape)).ToList();
        });
        HuggingFaceFolder.WriteConfig(_folder, sizes, endToken: 0, half: false);
        HuggingFaceFolder.WriteTensors(Path.Combine(_folder, "model.safetensors"), TensorType.F32, made, writer =>
            made.ForEach(weight => writer.Write(weight.Name, new float[weight.Shape.Aggregate(1L, (a, b) => a * b)])));
        using var file = SafetensorsFile.Open(Path.Combine(_folder, "model.safetensors"));

        var config = ConfigJson.Parse(await File.ReadAllBytesAsync(ConfigPath, TestContext.Current.CancellationToken), BaseModel.ConfigFile);
        var architecture = Architectures.Of(config);
        architecture.CheckWeights(architecture.ReadConfig(config), file); // refuses by name what is missing, left over or of another shape

        Assert.Equal(type, architecture.ModelType);
        Assert.Equal(sizes.Parameters, file.Tensors.Sum(t => t.Elements));
        Assert.Contains(made, weight => sizes.Decays(weight.Name));
        Assert.All(made, weight => Assert.True(weight.Shape.Length == 2 || !sizes.Decays(weight.Name), $"{weight.Name} is no matrix, and decays"));
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_configuration_that_was_written_gives_the_sizes_back(string type)
    {
        var sizes = SizesOf(type);

        HuggingFaceFolder.WriteConfig(_folder, sizes, endToken: 0, half: false);

        Assert.Equal(sizes, BaseModel.SizesOf(File.ReadAllBytes(ConfigPath), "base"));
    }

    private string ConfigPath => Path.Combine(_folder, BaseModel.ConfigFile);

    private static DecoderSizes SizesOf(string type) => TrainingPlanner.Plan(
        new TrainingRequest
        {
            Name = "m",
            Text = "file:/t.txt",
            Tokenizer = new TokenizerChoice { Train = "bpe", Vocabulary = 300 },
            Architecture = new ArchitectureSpec { Type = type, Layers = 3, Hidden = 32, Heads = 4, Intermediate = 48, Context = 24 },
            Budget = new TrainingBudget { Steps = 1 },
        },
        new TrainingFacts(Cores: 1, HasNarrowMatrices: false, MemoryBytes: null, DiskBytes: null, TextBytes: 0)).Sizes;
}
