using System.Security.Cryptography;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Engine;
using LlmOs.Infrastructure;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Tests.Registry;

namespace LlmOs.Models.Tests.Loading;

/// <summary>What keeps a model from being loaded is said by name, and the next try begins anew.</summary>
public sealed class LoadRefusalTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _world = await RegistryWorld.CreateAsync();
        await _world.PublishAsync(await _world.Get<ModelIntake>().TakeAsync(_world.WriteModel("m"), "m", (_, _) => { }, CancellationToken.None));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_graph_that_the_runtime_cannot_open_is_refused_and_loads_once_it_is_whole()
    {
        var model = await _world.Get<ModelCatalogue>().FindAsync("m", Cancel);
        var folder = Path.GetDirectoryName((await _world.Get<ServingGraphs>().OpenAsync(model.Files, model.Precision, Cancel)).OnnxPath)!;
        var whole = await File.ReadAllBytesAsync(Path.Combine(folder, "model.onnx"), Cancel);
        await WriteAsync(folder, [.. whole.Take(whole.Length / 2)]);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => _world.Get<ModelHost>().LoadAsync(model, keep: null, pinned: null, Cancel));
        Assert.Equal((ErrorCode.UnsupportedFormat, "model"), (refusal.Code, refusal.Field));
        Assert.Contains("cannot be loaded", refusal.Message, StringComparison.Ordinal);
        Assert.Empty(_world.Get<ModelHost>().List());

        await WriteAsync(folder, whole);
        await _world.Get<ModelHost>().LoadAsync(model, keep: null, pinned: null, Cancel);
        Assert.Equal(RunningState.Ready, Assert.Single(_world.Get<ModelHost>().List()).State);
    }

    [Fact]
    public void What_the_engine_cannot_open_is_a_refusal_that_says_what_to_do()
    {
        (Exception Fault, ErrorCode Code)[] faults =
        [
            (new EngineDeviceException("no card"), ErrorCode.Unavailable),
            (new EngineGraphException("no graph"), ErrorCode.UnsupportedFormat),
            (new EngineMemoryException("no room", new InsufficientMemoryException()), ErrorCode.OutOfMemory),
            (new InsufficientMemoryException("no room"), ErrorCode.OutOfMemory),
        ];
        foreach (var (fault, code) in faults)
        {
            var refusal = Assert.Throws<LlmOsException>(() => ModelLoader.Open<object>(() => throw fault));

            Assert.Equal(code, refusal.Code);
            Assert.Contains(fault.Message, refusal.Message, StringComparison.Ordinal);
            Assert.False(string.IsNullOrEmpty(refusal.Hint));
        }
    }

    /// <summary>Writes a graph as if it had been built so: the manifest agrees with it.</summary>
    private static async Task WriteAsync(string folder, byte[] graph)
    {
        await File.WriteAllBytesAsync(Path.Combine(folder, "model.onnx"), graph, Cancel);
        var path = Path.Combine(folder, "manifest.json");
        var manifest = JsonSerializer.Deserialize<Dictionary<string, string>>(await File.ReadAllBytesAsync(path, Cancel))!;
        manifest["model.onnx"] = Convert.ToHexStringLower(SHA256.HashData(graph));
        await File.WriteAllBytesAsync(path, JsonSerializer.SerializeToUtf8Bytes(manifest), Cancel);
    }
}
