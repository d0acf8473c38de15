using System.Formats.Tar;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using LlmOs.Formats;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Http;
using LlmOs.Models.Import;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Models.Tests.Registry;

/// <summary><c>/api/v1/models</c> over HTTP; refusals are read as their status, their bodies being the server's.</summary>
public sealed class RegistryEndpointsTests : IAsyncLifetime
{
    private readonly HttpClient _http = new();
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await RegistryWorld.CreateAsync();
        _world.App.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (LlmOsException refusal)
            {
                context.Response.StatusCode = Refusals.StatusOf(refusal.Code);
                await context.Response.WriteAsJsonAsync(new { code = refusal.Code.ToString(), message = refusal.Message });
            }
        });
        _world.App.MapApiGroup().MapModels();
        await _world.App.StartAsync();
        _http.BaseAddress = new Uri(_world.Get<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task An_import_is_accepted_with_its_job()
    {
        var folder = _world.WriteModel("tiny");

        using var reply = await _http.PostAsJsonAsync("/api/v1/models/import", new { source = $"file:{folder}", name = "tiny" });
        var job = (await ReadAsync(reply)).GetProperty("job");

        Assert.Equal(HttpStatusCode.Accepted, reply.StatusCode);
        Assert.Equal($"/api/v1/jobs/{job.GetProperty("id").GetString()}", reply.Headers.Location?.ToString());
        Assert.Equal(("import", "queued", "tiny"), (job.GetProperty("kind").GetString(), job.GetProperty("state").GetString(), job.GetProperty("spec").GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("file:/etc", "tiny", HttpStatusCode.Forbidden)]
    [InlineData("hf:name", "tiny", HttpStatusCode.BadRequest)]
    [InlineData("https://example.org/model.gguf", "tiny", HttpStatusCode.Forbidden)]
    [InlineData("upload:upload_none", "tiny", HttpStatusCode.BadRequest)]
    [InlineData("file:/etc", "import", HttpStatusCode.BadRequest)]
    [InlineData("file:/a\0b", "tiny", HttpStatusCode.BadRequest)]
    public async Task An_import_that_is_refused_at_once_makes_no_job(string source, string name, HttpStatusCode status)
    {
        using var reply = await _http.PostAsJsonAsync("/api/v1/models/import", new { source, name });

        Assert.Equal(status, reply.StatusCode);
    }

    [Theory]
    [InlineData("org%2Fname")]
    [InlineData("org/name")]
    public async Task A_slash_in_a_name_arrives_escaped_or_as_itself(string path)
    {
        await _world.PublishAsync(RegistryWorld.Version("org/name"));

        var model = await GetAsync($"/api/v1/models/{path}");
        var version = await GetAsync($"/api/v1/models/{path}/versions/1");
        var versions = await GetAsync($"/api/v1/models/{path}/versions");
        using var put = await _http.PutAsJsonAsync($"/api/v1/models/{path}/aliases/live", new { version = 1 });

        Assert.Equal("org/name", model.GetProperty("name").GetString());
        Assert.Equal(("org/name", "ready"), (version.GetProperty("model").GetString(), version.GetProperty("state").GetString()));
        Assert.Equal(1, versions.GetProperty("items").GetArrayLength());
        Assert.Equal("""{"model":"org/name","alias":"live","version":1}""", await put.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Models_are_listed_by_page_and_found_by_a_part_of_their_name()
    {
        foreach (var name in new[] { "c", "a", "org/b", "abc" })
        {
            await _world.PublishAsync(RegistryWorld.Version(name));
        }

        var first = await GetAsync("/api/v1/models?limit=2");
        var second = await GetAsync($"/api/v1/models?limit=2&after={first.GetProperty("next").GetString()}");
        var found = await GetAsync("/api/v1/models?query=B");

        Assert.Equal(["a", "abc"], Names(first));
        Assert.Equal(["c", "org/b"], Names(second));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next").ValueKind);
        Assert.Equal(["abc", "org/b"], Names(found));
        Assert.Equal(1, found.GetProperty("items")[0].GetProperty("aliases").GetProperty("latest").GetInt32());
    }

    [Fact]
    public async Task Versions_come_newest_first_by_page()
    {
        for (var i = 0; i < 3; i++)
        {
            await _world.PublishAsync(RegistryWorld.Version("m"));
        }

        var first = await GetAsync("/api/v1/models/m/versions?limit=2");
        var second = await GetAsync($"/api/v1/models/m/versions?limit=2&after={first.GetProperty("next").GetString()}");

        Assert.Equal([3, 2], first.GetProperty("items").EnumerateArray().Select(v => v.GetProperty("version").GetInt32()));
        Assert.Equal([1], second.GetProperty("items").EnumerateArray().Select(v => v.GetProperty("version").GetInt32()));
    }

    [Fact]
    public async Task The_alias_answers_conflict_when_it_points_elsewhere()
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));
        await _world.PublishAsync(RegistryWorld.Version("m"));

        using var late = await _http.PutAsJsonAsync("/api/v1/models/m/aliases/latest", new { version = 1, expected = 1 });
        using var good = await _http.PutAsJsonAsync("/api/v1/models/m/aliases/latest", new { version = 1, expected = 2 });

        Assert.Equal((HttpStatusCode.Conflict, HttpStatusCode.OK), (late.StatusCode, good.StatusCode));
    }

    [Theory]
    [InlineData("/api/v1/models/none", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models/none/versions", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models/m/versions/2", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models/m/versions/-1", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models/m/versions/2/download", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models/%2E%2E%2Fsecret", HttpStatusCode.NotFound)]
    [InlineData("/api/v1/models?limit=0", HttpStatusCode.BadRequest)]
    [InlineData("/api/v1/models/m/versions?after=x", HttpStatusCode.BadRequest)]
    public async Task What_is_not_there_is_not_found_and_what_is_wrong_is_refused(string path, HttpStatusCode status)
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));

        using var reply = await _http.GetAsync(path);

        Assert.Equal(status, reply.StatusCode);
    }

    [Fact]
    public async Task A_download_is_a_tar_that_any_loader_can_use_and_always_the_same()
    {
        var folder = _world.WriteModel("tiny");
        await _world.PublishAsync(await _world.Get<ModelIntake>().TakeAsync(folder, "org/tiny", (_, _) => { }, CancellationToken.None));

        using var reply = await _http.GetAsync("/api/v1/models/org/tiny/versions/1/download");
        var bytes = await reply.Content.ReadAsByteArrayAsync();
        var target = Directory.CreateDirectory(Path.Combine(_world.Folder.Root, "unpacked")).FullName;
        await TarFile.ExtractToDirectoryAsync(new MemoryStream(bytes), target, overwriteFiles: false);

        Assert.Equal("application/x-tar", reply.Content.Headers.ContentType?.MediaType);
        Assert.Equal("org_tiny-1.tar", reply.Content.Headers.ContentDisposition?.FileName);
        Assert.Equal(["config.json", "model.safetensors"], Directory.GetFiles(target).Select(f => Path.GetFileName(f)).Order());
        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(folder, "model.safetensors")), await File.ReadAllBytesAsync(Path.Combine(target, "model.safetensors")));
        using var opened = SafetensorsFile.Open(Path.Combine(target, "model.safetensors"));
        Assert.Equal(bytes, await _http.GetByteArrayAsync("/api/v1/models/org%2Ftiny/versions/1/download"));
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var reply = await _http.GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return await ReadAsync(reply);
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage reply) =>
        (await reply.Content.ReadFromJsonAsync<JsonDocument>())!.RootElement;

    private static IEnumerable<string?> Names(JsonElement page) =>
        page.GetProperty("items").EnumerateArray().Select(m => m.GetProperty("name").GetString());
}
