using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Loading;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Zoo;
using Microsoft.Extensions.Logging.Abstractions;

namespace LlmOs.Models.Tests.Loading;

public sealed class ServingGraphsTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;
    private IReadOnlyList<ModelFileView> _files = [];

    public async ValueTask InitializeAsync()
    {
        _world = await RegistryWorld.CreateAsync();
        _files = (await _world.Get<ModelIntake>().TakeAsync(_world.WriteModel("m"), "m", (_, _) => { }, CancellationToken.None)).Files;
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_graph_that_is_gone_is_made_again()
    {
        var path = (await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None)).OnnxPath;
        var before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);

        await _world.Get<ServingGraphs>().OpenAsync(_files, Precisions.Full, CancellationToken.None);

        Assert.Equal(before, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("weights.bin")]
    [InlineData("model.onnx")]
    [InlineData("manifest.json")]
    public async Task A_graph_that_was_damaged_is_made_again_by_the_next_process(string file)
    {
        var graph = await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None);
        var damaged = Path.Combine(Path.GetDirectoryName(graph.OnnxPath)!, file);
        var before = await File.ReadAllBytesAsync(damaged, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(damaged, before[..^1], TestContext.Current.CancellationToken);

        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None);

        Assert.Equal(before, await File.ReadAllBytesAsync(damaged, TestContext.Current.CancellationToken));
        Assert.Single(Directory.GetFileSystemEntries(Path.Combine(_world.Folder.Cache, "graphs")));
    }

    [Fact]
    public async Task A_stored_file_that_changed_is_noticed_by_the_next_process()
    {
        var blob = _world.Get<ArtifactStore>().PathOf(_files.Single(f => f.Path == "model.safetensors").Sha256);
        var content = await File.ReadAllBytesAsync(blob, TestContext.Current.CancellationToken);
        content[^1] ^= 1;
        await File.WriteAllBytesAsync(blob, content, TestContext.Current.CancellationToken);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None));

        Assert.Equal(ErrorCode.HashMismatch, refusal.Code);
    }

    [Fact]
    public async Task A_file_is_read_whole_once_and_again_only_when_it_has_changed()
    {
        var path = (await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None)).OnnxPath;
        var weights = Path.Combine(Path.GetDirectoryName(path)!, "weights.bin");
        var (written, bytes) = (File.GetLastWriteTimeUtc(weights), await File.ReadAllBytesAsync(weights, CancellationToken.None));

        // In place, with its time put back: size, time and inode say that it is the same file, so it is not read.
        await using (var file = File.OpenWrite(weights))
        {
            file.WriteByte((byte)(bytes[0] ^ 1));
        }

        File.SetLastWriteTimeUtc(weights, written);
        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None);
        Assert.NotEqual(bytes[0], (await File.ReadAllBytesAsync(weights, CancellationToken.None))[0]);

        // Another file of the same size and time under the same name is another inode.
        var other = weights + ".other";
        await File.WriteAllBytesAsync(other, await File.ReadAllBytesAsync(weights, CancellationToken.None), CancellationToken.None);
        File.SetLastWriteTimeUtc(other, written);
        File.Move(other, weights, overwrite: true);
        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None);

        Assert.Equal(bytes, await File.ReadAllBytesAsync(weights, CancellationToken.None));
    }

    [Fact]
    public async Task What_was_hashed_on_its_way_into_the_store_is_not_hashed_again_by_the_first_load()
    {
        var blob = _world.Get<ArtifactStore>().PathOf(_files.Single(f => f.Path == "model.safetensors").Sha256);
        var (written, content) = (File.GetLastWriteTimeUtc(blob), await File.ReadAllBytesAsync(blob, CancellationToken.None));
        await using (var file = File.OpenWrite(blob))
        {
            file.Position = content.Length - 1;
            file.WriteByte((byte)(content[^1] ^ 1));
        }

        File.SetLastWriteTimeUtc(blob, written);
        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None); // it would be refused if it were read

        File.SetLastWriteTimeUtc(blob, written.AddSeconds(1));
        Assert.Equal(ErrorCode.HashMismatch, (await Assert.ThrowsAsync<LlmOsException>(() => Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None))).Code);
    }

    [Fact]
    public async Task Opening_says_how_far_it_is()
    {
        var said = new List<double>();
        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None, said.Add);

        Assert.Equal(said.Order(), said);
        Assert.Equal((_files.Count, 1.0), (said.Count, said[^1]));
    }

    [Fact]
    public async Task Processes_that_build_the_same_graph_together_all_get_it()
    {
        Directory.Delete(Path.Combine(_world.Folder.Cache, "graphs"), recursive: true);

        var graphs = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None)));

        Assert.Single(graphs.Distinct());
        Assert.Single(Directory.GetFileSystemEntries(Path.Combine(_world.Folder.Cache, "graphs")));
    }

    [Fact]
    public async Task What_a_build_that_was_cut_off_left_is_removed_by_a_later_one()
    {
        var root = Path.Combine(_world.Folder.Cache, "graphs");
        var old = Directory.CreateDirectory(Path.Combine(root, ".old.tmp")).FullName;
        var young = Directory.CreateDirectory(Path.Combine(root, ".young.tmp")).FullName;
        Directory.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-2));
        Directory.Delete(Path.Combine(root, ServingGraphs.KeyOf(_files, WeightPrecision.F32)), recursive: true);

        await Graphs().OpenAsync(_files, Precisions.Full, CancellationToken.None);

        Assert.Equal((false, true), (Directory.Exists(old), Directory.Exists(young)));
    }

    [Fact]
    public void The_key_follows_configuration_weights_and_precision_and_nothing_else()
    {
        ModelFileView[] tokenizer = [.. _files, new("tokenizer.json", new string('a', 64), 1)];
        ModelFileView[] weights = [.. _files.Select(f => f.Path == "model.safetensors" ? f with { Sha256 = new string('b', 64) } : f)];

        Assert.Equal(ServingGraphs.KeyOf(_files, WeightPrecision.F32), ServingGraphs.KeyOf(tokenizer, WeightPrecision.F32));
        Assert.NotEqual(ServingGraphs.KeyOf(_files, WeightPrecision.F32), ServingGraphs.KeyOf(weights, WeightPrecision.F32));
        Assert.NotEqual(ServingGraphs.KeyOf(_files, WeightPrecision.F32), ServingGraphs.KeyOf(_files, WeightPrecision.FourBit));
    }

    /// <summary>What a newly started process would have.</summary>
    private ServingGraphs Graphs() => new(_world.Folder, _world.Get<ArtifactStore>(), TimeProvider.System, NullLogger<ServingGraphs>.Instance);
}
