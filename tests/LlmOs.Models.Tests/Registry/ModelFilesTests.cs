using System.Formats.Tar;
using System.Net;
using System.Net.Http.Headers;
using LlmOs.Contracts;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;

namespace LlmOs.Models.Tests.Registry;

/// <summary>A model's files over HTTP: sent, downloaded whole, uploaded, and gone when nobody has them.</summary>
public sealed class ModelFilesTests : RegistryHttpTests
{
    [Fact]
    public async Task A_file_is_sent_by_range_and_only_if_it_is_one_of_the_version()
    {
        var folder = World.WriteModel("m");
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "m" });
        var whole = await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors"));

        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/models/m/versions/1/files/model.safetensors") { Headers = { Range = new RangeHeaderValue(100, 199) } };
        using var part = await Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, part.StatusCode);
        Assert.Equal(whole[100..200], await part.Content.ReadAsByteArrayAsync());
        Assert.Equal("nosniff", part.Headers.GetValues("X-Content-Type-Options").Single());
        foreach (var path in new[] { "other.bin", "..%2F..%2Fllmos.db", "%2Fetc%2Fpasswd" })
        {
            using var answer = await Http.GetAsync($"/api/v1/models/m/versions/1/files/{path}");
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    /// <summary>Import, download as a folder, import again.</summary>
    [Fact]
    public async Task A_downloaded_folder_imports_again_with_the_same_logits_and_the_same_tokenizer()
    {
        var folder = World.WriteModel("m");
        await File.WriteAllTextAsync(Path.Combine(folder, "tokenizer.json"), """{"version":"1.0","added_tokens":[],"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}}""");
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "first" });
        var tar = await Http.GetByteArrayAsync("/api/v1/models/first/versions/1/download");
        var unpacked = Directory.CreateDirectory(Path.Combine(World.Folder.Import, "unpacked")).FullName;
        await TarFile.ExtractToDirectoryAsync(new MemoryStream(tar), unpacked, overwriteFiles: false);

        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{unpacked}", Name = "second" });

        await using var db = await World.DbAsync();
        var first = (await ModelResolver.ResolveAsync(db, "first", CancellationToken.None)).ToView();
        var second = (await ModelResolver.ResolveAsync(db, "second", CancellationToken.None)).ToView();
        Assert.Equal(first.Files, second.Files);
        using var one = new GraphRun((ServingGraph)await World.Get<ServingGraphs>().OpenAsync(first.Files, "f32", CancellationToken.None));
        using var two = new GraphRun((ServingGraph)await World.Get<ServingGraphs>().OpenAsync(second.Files, "f32", CancellationToken.None));
        Assert.Equal(one.Forward([1, 2, 3]).SelectMany(r => r), two.Forward([1, 2, 3]).SelectMany(r => r));
    }

    [Fact]
    public async Task What_is_deleted_gives_its_room_back_and_what_others_use_stays()
    {
        var folder = World.WriteModel("m");
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "a" });
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{folder}", Name = "b" });
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{World.WriteModel("other", seed: 2)}", Name = "c" });
        async Task<long> CollectAsync() => (await SendAsync(HttpMethod.Post, "/api/v1/artifacts/collect")).Body.GetProperty("freed_bytes").GetInt64();

        await SendAsync(HttpMethod.Delete, "/api/v1/models/a");
        Assert.Equal(0, await CollectAsync());
        await SendAsync(HttpMethod.Delete, "/api/v1/models/c");
        Assert.True(await CollectAsync() > 16_800 * 4);

        await using var db = await World.DbAsync();
        var left = (await ModelResolver.ResolveAsync(db, "b", CancellationToken.None)).ToView();
        Assert.Equal(left.Files.Select(f => f.Sha256).Order(), Directory.GetFiles(World.Folder.Blobs, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)).Order());
        Assert.Equal([ServingGraphs.KeyOf(left.Files, WeightPrecision.F32)], Directory.GetDirectories(Path.Combine(World.Folder.Cache, "graphs")).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public async Task An_upload_is_imported()
    {
        await World.ImportAndListAsync(new ImportRequest { Source = $"file:{World.WriteModel("m")}", Name = "m" });
        var bundle = await Http.GetByteArrayAsync("/api/v1/models/m/versions/1/export");
        var begun = await SendAsync(HttpMethod.Post, "/api/v1/uploads", new { filename = "m.llmos", bytes = bundle.Length });
        var id = begun.Body.GetProperty("id").GetString();
        var early = await SendAsync(HttpMethod.Post, "/api/v1/models/import", new { source = $"upload:{id}", name = "up" });
        foreach (var (from, to) in new[] { (0, 1000), (1000, bundle.Length) })
        {
            using var piece = new ByteArrayContent(bundle[from..to]);
            piece.Headers.ContentRange = new ContentRangeHeaderValue(from, to - 1, bundle.Length);
            using var answer = await Http.PutAsync($"/api/v1/uploads/{id}", piece);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var result = await World.ImportAndListAsync(new ImportRequest { Source = $"upload:{id}", Name = "up" });

        Assert.Equal(HttpStatusCode.Conflict, early.Status);
        Assert.Equal("up:1", result.Ref);
        var artifact = (await SendAsync(HttpMethod.Get, $"/api/v1/uploads/{id}")).Body.GetProperty("sha256").GetString();
        Assert.Equal(bundle, await Http.GetByteArrayAsync($"/api/v1/artifacts/{artifact}"));
        using var head = await Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/artifacts/{artifact}"));
        Assert.Equal((HttpStatusCode.OK, (long?)bundle.Length), (head.StatusCode, head.Content.Headers.ContentLength));
    }
}
