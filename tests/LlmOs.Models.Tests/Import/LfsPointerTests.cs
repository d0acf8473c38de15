using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Tests.Registry;

namespace LlmOs.Models.Tests.Import;

/// <summary>What a clone without Git LFS leaves in the place of weights is named as that, whatever the weights' form.</summary>
public sealed class LfsPointerTests
{
    private const string Pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("onnx/model.onnx")]
    [InlineData("model.onnx")]
    public async Task Weights_in_a_folder(string weights)
    {
        await using var world = await RegistryWorld.CreateAsync();
        var folder = Directory.CreateDirectory(Path.Combine(world.Folder.Import, "m")).FullName;
        File.WriteAllText(Path.Combine(folder, "config.json"), TinyModel.ConfigJson);
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, weights))!);
        File.WriteAllText(Path.Combine(folder, weights), Pointer);

        await AssertNamedAsync(world, folder, weights);
    }

    [Fact]
    public async Task A_single_file()
    {
        await using var world = await RegistryWorld.CreateAsync();
        var path = Path.Combine(world.Folder.Import, "model.gguf");
        File.WriteAllText(path, Pointer);

        await AssertNamedAsync(world, path, "model.gguf");
    }

    private static async Task AssertNamedAsync(RegistryWorld world, string source, string weights)
    {
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => world.ImportAsync(new ImportRequest { Source = $"file:{source}", Name = "m" }));

        Assert.Contains($"{weights} is a Git LFS pointer", refusal.Message, StringComparison.Ordinal);
    }
}
