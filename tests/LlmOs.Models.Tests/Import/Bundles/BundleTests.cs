using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Import;
using LlmOs.Models.Import.Bundles;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tests.Import.Bundles;

/// <summary>One file carries a version to a machine without a network, whole or not at all.</summary>
public sealed class BundleTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await RegistryWorld.CreateAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_version_arrives_with_its_files_card_tags_and_lineage()
    {
        var bundle = await ExportAsync();
        await using var other = await RegistryWorld.CreateAsync();
        var arrived = Path.Combine(other.Folder.Import, "tiny.llmos");
        await File.WriteAllBytesAsync(arrived, bundle);

        var result = await other.ImportAndListAsync(new ImportRequest { Source = $"file:{arrived}", Name = "arrived" });

        await using var db = await other.DbAsync();
        var there = await db.ModelVersions.Include(v => v.Model).Include(v => v.Files).Include(v => v.Tags).SingleAsync();
        await using var here = await _world.DbAsync();
        var original = (await ModelResolver.ResolveAsync(here, "tiny", CancellationToken.None)).ToView();
        Assert.Equal("arrived:1", result.Ref);
        Assert.Equal(original.Files, there.ToView().Files);
        Assert.Equal("# Written here\n", there.Model.Card);
        Assert.Equal(new Dictionary<string, string> { ["team"] = "search" }, there.ToView().Tags);
        Assert.Equal(("base:4", LineageRelation.FineTuned, "hf:org/name@0123"), (there.LineageParent, there.LineageRelation, there.LineageSource));
        using var before = new GraphRun((ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(original.Files, "f32", CancellationToken.None));
        using var after = new GraphRun((ServingGraph)await other.Get<ServingGraphs>().OpenAsync(there.ToView().Files, "f32", CancellationToken.None));
        Assert.Equal(before.Forward([1, 2, 3]).SelectMany(r => r), after.Forward([1, 2, 3]).SelectMany(r => r));
    }

    public static TheoryData<string, ErrorCode, string> Faults => new()
    {
        { "cut in its head", ErrorCode.CorruptFile, "ends in its head" },
        { "cut in a file", ErrorCode.CorruptFile, "follow it" },
        { "bytes after the end", ErrorCode.CorruptFile, "follow it" },
        { "a changed byte", ErrorCode.HashMismatch, "of its manifest" },
        { "a manifest of 2 GB", ErrorCode.CorruptFile, "its manifest would have" },
        { "a negative manifest", ErrorCode.CorruptFile, "its manifest would have" },
        { "a manifest that is no JSON", ErrorCode.CorruptFile, "not the JSON" },
        { "a path upwards", ErrorCode.CorruptFile, "../../escaped" },
        { "an absolute path", ErrorCode.CorruptFile, "/etc/escaped" },
        { "a backslash", ErrorCode.CorruptFile, "escaped" },
        { "a path twice", ErrorCode.CorruptFile, "twice" },
        { "a file of 2^60 bytes", ErrorCode.CorruptFile, "length or hash" },
        { "a negative length", ErrorCode.CorruptFile, "length or hash" },
        { "a hash that is none", ErrorCode.CorruptFile, "length or hash" },
        { "no files", ErrorCode.CorruptFile, "0 files" },
        { "a null file", ErrorCode.CorruptFile, "bundle" },
        { "a bad tag", ErrorCode.CorruptFile, "tag" },
        { "a model that is none", ErrorCode.CorruptFile, "config.json" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_bundle_that_lies_is_refused_and_nothing_is_listed_or_left(string fault, ErrorCode code, string word)
    {
        var bundle = Break(await ExportAsync(), fault);
        await using var other = await RegistryWorld.CreateAsync();
        var arrived = Path.Combine(other.Folder.Import, "tiny.llmos");
        await File.WriteAllBytesAsync(arrived, bundle);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => other.ImportAndListAsync(new ImportRequest { Source = $"file:{arrived}", Name = "arrived" }));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(word, refusal.Message, StringComparison.Ordinal);
        await using var db = await other.DbAsync();
        Assert.False(await db.Models.AnyAsync());
        Assert.Empty(Directory.GetFiles(other.Folder.Blobs, "*", SearchOption.AllDirectories));
        Assert.False(File.Exists(Path.Combine(other.Folder.Root, "escaped")));
    }

    private async Task<byte[]> ExportAsync()
    {
        var version = await _world.Get<ModelIntake>().TakeAsync(_world.WriteModel("tiny"), "tiny", (_, _) => { }, CancellationToken.None);
        await _world.PublishAsync(version with
        {
            Card = "# Written here\n",
            Tags = new Dictionary<string, string> { ["team"] = "search" },
            Lineage = new LineageView("base:4", "job_1", ["books:2"]) { Relation = LineageRelation.FineTuned, Source = "hf:org/name@0123" },
        });
        await using var db = await _world.DbAsync();
        var stored = await db.ModelVersions.Include(v => v.Model).Include(v => v.Files).Include(v => v.Tags).SingleAsync();
        using var bundle = new MemoryStream();
        await BundleWriter.WriteAsync(BundleManifest.Of(stored, stored.Model.Card, await Lineage.OfAsync(db, stored, CancellationToken.None)), _world.Get<ArtifactStore>(), bundle, CancellationToken.None);
        return bundle.ToArray();
    }

    private static byte[] Break(byte[] bundle, string fault)
    {
        const int Head = 12;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bundle.AsSpan(8));
        byte[] Rest() => bundle[(Head + length)..];
        byte[] With(byte[] manifest) => [.. bundle[..8], .. BitConverter.GetBytes(manifest.Length), .. manifest, .. Rest()];
        byte[] Edited(Action<JsonObject, JsonObject> edit)
        {
            var manifest = JsonNode.Parse(bundle.AsSpan(Head, length))!.AsObject();
            edit(manifest, manifest["files"]![0]!.AsObject());
            return With(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
        }

        switch (fault)
        {
            case "cut in its head": return bundle[..10];
            case "cut in a file": return bundle[..^5];
            case "bytes after the end": return [.. bundle, 1, 2, 3];
            case "a changed byte": bundle[^1] ^= 1; return bundle;
            case "a manifest of 2 GB": BinaryPrimitives.WriteInt32LittleEndian(bundle.AsSpan(8), int.MaxValue); return bundle;
            case "a negative manifest": BinaryPrimitives.WriteInt32LittleEndian(bundle.AsSpan(8), -1); return bundle;
            case "a manifest that is no JSON": return With(Encoding.UTF8.GetBytes("{\"model\":"));
            case "a path upwards": return Edited((_, file) => file["path"] = "../../escaped");
            case "an absolute path": return Edited((_, file) => file["path"] = "/etc/escaped");
            case "a backslash": return Edited((_, file) => file["path"] = "..\\escaped");
            case "a path twice": return Edited((manifest, file) => file["path"] = ((string)manifest["files"]![1]!["path"]!).ToUpperInvariant());
            case "a file of 2^60 bytes": return Edited((_, file) => file["bytes"] = 1L << 60);
            case "a negative length": return Edited((_, file) => file["bytes"] = -1);
            case "a hash that is none": return Edited((_, file) => file["sha256"] = "../..");
            case "no files": return Edited((manifest, _) => manifest["files"] = new JsonArray());
            case "a null file": return Edited((manifest, _) => manifest["files"]![0] = null);
            case "a bad tag": return Edited((manifest, _) => manifest["tags"] = new JsonObject { ["A B"] = "x" });
            case "a model that is none": return Lie(Edited((_, _) => { }), Head);
            default: throw new ArgumentException(fault);
        }
    }

    /// <summary>Content and hash agree, but the content is no configuration.</summary>
    private static byte[] Lie(byte[] bundle, int head)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(bundle.AsSpan(8));
        var manifest = JsonNode.Parse(bundle.AsSpan(head, length))!.AsObject();
        var config = manifest["files"]!.AsArray().Single(f => (string)f!["path"]! == "config.json")!.AsObject();
        var content = new byte[(long)config["bytes"]!];
        config["sha256"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content));
        var json = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        var at = head + length; // config.json is the first file by name
        byte[] body = [.. content, .. bundle[(at + content.Length)..]];
        return [.. bundle[..8], .. BitConverter.GetBytes(json.Length), .. json, .. body];
    }
}
