using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Loading;
using LlmOs.Models.Registry;
using LlmOs.Models.Tests.Registry;
using LlmOs.Models.Tests.Zoo;
using LlmOs.Models.Zoo;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Models.Tests.Import.Pull;

/// <summary>Pulls from a hub that keeps its promises, and from one that does not: they end right or fail clearly, and nothing is fetched twice.</summary>
public sealed class HubPullTests : IAsyncLifetime
{
    private const string Weights = "model.safetensors";
    private readonly TestHub _hub = new();
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await RegistryWorld.CreateAsync(hub: _hub.Address, token: "hf_secret", egress: ["127.0.0.1", "example.org"]);
        foreach (var file in Directory.GetFiles(_world.WriteModel("published")))
        {
            _hub.Files[Path.GetFileName(file)] = await File.ReadAllBytesAsync(file);
        }

        _hub.Files["README.md"] = Encoding.UTF8.GetBytes("---\nlicense: mit\n---\n# A model\n");
        _hub.Files["pytorch_model.bin"] = new byte[100];
        _hub.Files["onnx/model.onnx"] = new byte[100];
        _hub.Files["training/loss curve.png"] = new byte[100];
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        await _world.DisposeAsync();
    }

    [Fact]
    public async Task A_repository_becomes_a_version_that_knows_its_commit_and_only_what_it_needs_is_fetched()
    {
        var job = NewJob();
        await PublishAsync(job);

        await using var db = await _world.DbAsync();
        var view = (await ModelResolver.ResolveAsync(db, "pulled", CancellationToken.None)).ToView();
        Assert.Equal(["README.md", "config.json", Weights], view.Files.Select(f => f.Path));
        Assert.Equal(("mit", $"hf:org/model@{TestHub.Commit}"), (view.License, view.Lineage.Source));
        Assert.DoesNotContain(_hub.Requests, r => r.Path.Contains(".bin", StringComparison.Ordinal) || r.Path.Contains("onnx", StringComparison.Ordinal));
        Assert.Equal(_hub.Files[Weights].Length, _hub.SentOf(Weights));
        Assert.Contains(job.Messages, m => m.StartsWith($"fetching {Weights}", StringComparison.Ordinal));
        Assert.Equal(view.Bytes, job.Metrics["total_bytes"]);
        Assert.Equal(view.Bytes, job.Metrics["bytes"]);

        var graph = (ServingGraph)await _world.Get<ServingGraphs>().OpenAsync(view.Files, "f32", CancellationToken.None);
        using var run = new GraphRun(graph);
        Assert.Equal(40, run.Forward([1, 2])[0].Length);
    }

    [Fact]
    public async Task A_repository_that_has_a_graph_alone_becomes_a_version_that_runs_it()
    {
        var source = SharedFolder.Require("models", "use-lite");
        _hub.Files.Clear();
        foreach (var (path, name) in new[] { ("config.json", "config.json"), ("tokenizer.json", "tokenizer.json"), ("onnx/model.onnx", "model.onnx") })
        {
            _hub.Files[path] = await File.ReadAllBytesAsync(Path.Combine(source, name));
        }

        _hub.Files["onnx/model_quantized.onnx"] = new byte[100];
        await PublishAsync(NewJob());

        await using var db = await _world.DbAsync();
        var view = (await ModelResolver.ResolveAsync(db, "pulled", CancellationToken.None)).ToView();
        Assert.Equal(["config.json", "onnx/model.onnx", "tokenizer.json"], view.Files.Select(f => f.Path));
        Assert.Equal("feature-extraction", view.Task);
    }

    [Fact]
    public async Task A_connection_that_is_cut_again_and_again_is_gone_on_from_and_no_byte_comes_twice()
    {
        _hub.Change = (request, reply) => request.Path.StartsWith("/storage/", StringComparison.Ordinal) ? reply with { CutAfter = 9_000 } : reply;

        await PublishAsync(NewJob());

        var size = _hub.Files[Weights].Length;
        Assert.Equal(size, _hub.SentOf(Weights));
        Assert.Equal(Enumerable.Range(0, (size + 8_999) / 9_000).Select(i => i * 9_000L), _hub.Requests.Where(r => r.Path.StartsWith("/storage/", StringComparison.Ordinal)).Select(r => r.From));
    }

    [Fact]
    public async Task A_later_attempt_goes_on_where_the_first_was_left_with_the_same_commit()
    {
        var job = NewJob();
        var allowed = 2;
        _hub.Change = (request, reply) => !request.Path.StartsWith("/storage/", StringComparison.Ordinal) ? reply
            : allowed-- > 0 ? reply with { CutAfter = 10_000 }
            : new HubReply(503, []);
        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => PublishAsync(job));
        var asked = _hub.Requests.Count(r => r.Path.Contains("/revision/", StringComparison.Ordinal));

        _hub.Change = (request, reply) => request.Path.Contains("/revision/", StringComparison.Ordinal) ? new HubReply(404, []) : reply;
        await PublishAsync(job);

        Assert.Equal(ErrorCode.Unavailable, refusal.Code);
        Assert.Contains("503", refusal.Message);
        Assert.Equal(1, asked);
        Assert.Equal(_hub.Files[Weights].Length, _hub.SentOf(Weights));
    }

    [Fact]
    public async Task What_is_stored_already_is_not_fetched()
    {
        await PublishAsync(NewJob());
        var before = _hub.SentOf(Weights);

        await PublishAsync(NewJob("again"));

        Assert.Equal(before, _hub.SentOf(Weights));
        await using var db = await _world.DbAsync();
        Assert.Equal("again:1", (await ModelResolver.ResolveAsync(db, "again", CancellationToken.None)).Ref);
        Assert.True((await ModelResolver.ResolveAsync(db, "pulled", CancellationToken.None)).Files.All(f => File.Exists(_world.Get<Infrastructure.Storage.ArtifactStore>().PathOf(f.Sha256))));
    }

    [Fact]
    public async Task A_host_that_cannot_send_ranges_is_begun_again()
    {
        var cut = true;
        _hub.Change = (request, reply) =>
        {
            if (!request.Path.StartsWith("/storage/", StringComparison.Ordinal))
            {
                return reply;
            }

            var whole = new HubReply(200, _hub.Files[Weights]);
            (cut, var now) = (false, cut);
            return now ? whole with { CutAfter = 5_000 } : whole;
        };

        await PublishAsync(NewJob());

        Assert.Equal(_hub.Files[Weights].Length + 5_000, _hub.SentOf(Weights));
    }

    public static TheoryData<string, ErrorCode, string> Faults => new()
    {
        { "other bytes", ErrorCode.HashMismatch, Weights },
        { "other text", ErrorCode.HashMismatch, "config.json" },
        { "list says more", ErrorCode.CorruptFile, "its list of files says" },
        { "list says less", ErrorCode.CorruptFile, "its list of files says" },
        { "more than announced", ErrorCode.CorruptFile, "its list of files says" },
        { "no ranges and always cut", ErrorCode.Unavailable, "begun again" },
        { "never a byte", ErrorCode.Unavailable, "tried 3 times" },
        { "always 500", ErrorCode.Unavailable, "500" },
        { "401", ErrorCode.NotAllowed, "HF_TOKEN" },
        { "gated", ErrorCode.NotAllowed, "Accept them at" },
        { "no repository", ErrorCode.MissingFile, "org/model" },
        { "wait for hours", ErrorCode.Unavailable, "asks to wait 7200 s" },
        { "to a private address", ErrorCode.NotAllowed, "10.0.0.1" },
        { "to this machine's metadata", ErrorCode.NotAllowed, "169.254.169.254" },
        { "to a mapped address", ErrorCode.NotAllowed, "may not be called" },
        { "to another host", ErrorCode.NotAllowed, "evil.test" },
        { "to a file", ErrorCode.NotAllowed, "may not be called" },
        { "to a listed host in the clear", ErrorCode.NotAllowed, "expected https" },
        { "round and round", ErrorCode.NotAllowed, "redirects more than" },
        { "not json", ErrorCode.CorruptFile, "HF_ENDPOINT" },
        { "no commit", ErrorCode.CorruptFile, "commit" },
        { "only pickle", ErrorCode.UnsupportedFormat, "pytorch_model.bin" },
        { "larger than any disk", ErrorCode.OutOfDisk, "on the disk" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_hub_that_lies_or_refuses_fails_the_pull_clearly_and_nothing_is_listed(string fault, ErrorCode code, string word)
    {
        Break(fault);

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => PublishAsync(NewJob()));

        Assert.Equal(code, refusal.Code);
        Assert.Contains(word, string.Join(' ', refusal.Message, refusal.Detail, refusal.Hint));
        Assert.DoesNotContain("hf_secret", refusal.ToString(), StringComparison.Ordinal);
        await using var db = await _world.DbAsync();
        Assert.False(await db.Models.AnyAsync());
        Assert.Empty(Directory.GetFiles(_world.Folder.Blobs, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_busy_hub_is_asked_again_after_as_long_as_it_says()
    {
        var busy = 2;
        _hub.Change = (request, reply) => request.Path.Contains("/revision/", StringComparison.Ordinal) && busy-- > 0
            ? new HubReply(429, []) { Headers = { ["Retry-After"] = "0" } }
            : reply;

        await PublishAsync(NewJob());

        Assert.Equal(3, _hub.Requests.Count(r => r.Path.Contains("/revision/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_to_nobody_else()
    {
        await using var storage = new TestHub();
        storage.Files[Weights] = _hub.Files[Weights];
        _hub.Change = (request, reply) => reply.Status == 302 ? reply with { Headers = new() { ["Location"] = new Uri(storage.Address, TestHub.StorageOf(_hub.Files[Weights])).ToString() } } : reply;

        await PublishAsync(NewJob());

        Assert.All(_hub.Requests, r => Assert.Equal("Bearer hf_secret", r.Headers["authorization"]));
        Assert.NotEmpty(storage.Requests);
        Assert.All(storage.Requests, r => Assert.DoesNotContain("authorization", r.Headers.Keys));
    }

    [Fact]
    public async Task A_lie_about_one_download_is_forgiven_once()
    {
        var lie = true;
        _hub.Change = (request, reply) =>
        {
            if (!lie || !request.Path.StartsWith("/storage/", StringComparison.Ordinal))
            {
                return reply;
            }

            lie = false;
            return reply with { Body = new byte[reply.Body.Length] };
        };

        await PublishAsync(NewJob());

        Assert.Equal(2 * _hub.Files[Weights].Length, _hub.SentOf(Weights));
    }

    private void Break(string fault)
    {
        bool Storage(HubRequest r) => r.Path.StartsWith("/storage/", StringComparison.Ordinal);
        bool Tree(HubRequest r) => r.Path.Contains("/tree/", StringComparison.Ordinal);
        HubReply Redirect(string to) => new(302, []) { Headers = { ["Location"] = to } };
        HubReply Listed(HubReply reply, string from, string to) => reply with { Body = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(reply.Body).Replace(from, to, StringComparison.Ordinal)) };
        var size = _hub.Files[Weights].Length;
        _hub.Change = fault switch
        {
            "other bytes" => (r, reply) => Storage(r) ? reply with { Body = new byte[reply.Body.Length] } : reply,
            "other text" => (r, reply) => r.Path.EndsWith("config.json", StringComparison.Ordinal) ? reply with { Body = new byte[reply.Body.Length] } : reply,
            "list says more" => (r, reply) => Tree(r) ? Listed(reply, $"\"size\":{size}", $"\"size\":{size + 7}") : reply,
            "list says less" => (r, reply) => Tree(r) ? Listed(reply, $"\"size\":{size}", $"\"size\":{size - 7}") : reply,
            "more than announced" => (r, reply) => Storage(r) ? reply with { Body = [.. reply.Body, .. new byte[1000]] } : reply,
            "no ranges and always cut" => (r, reply) => Storage(r) ? new HubReply(200, _hub.Files[Weights]) { CutAfter = 5_000 } : reply,
            "never a byte" => (r, reply) => Storage(r) ? reply with { CutAfter = 0 } : reply,
            "always 500" => (r, reply) => Storage(r) ? new HubReply(500, []) : reply,
            "401" => (_, _) => new HubReply(401, []) { Headers = { ["X-Error-Code"] = "RepoNotFound" } },
            "gated" => (r, reply) => r.Path.Contains("/resolve/", StringComparison.Ordinal) ? new HubReply(403, []) { Headers = { ["X-Error-Code"] = "GatedRepo" } } : reply,
            "no repository" => (_, _) => new HubReply(404, []) { Headers = { ["X-Error-Code"] = "RepoNotFound" } },
            "wait for hours" => (_, _) => new HubReply(429, []) { Headers = { ["Retry-After"] = "7200" } },
            "to a private address" => (r, reply) => reply.Status == 302 ? Redirect("https://10.0.0.1/storage") : reply,
            "to this machine's metadata" => (r, reply) => reply.Status == 302 ? Redirect("http://169.254.169.254/latest/meta-data") : reply,
            "to a mapped address" => (r, reply) => reply.Status == 302 ? Redirect("https://[::ffff:10.0.0.1]/") : reply,
            "to another host" => (r, reply) => reply.Status == 302 ? Redirect("https://evil.test/storage") : reply,
            "to a file" => (r, reply) => reply.Status == 302 ? Redirect("file:///etc/passwd") : reply,
            "to a listed host in the clear" => (r, reply) => reply.Status == 302 ? Redirect("http://example.org/storage") : reply,
            "round and round" => (r, reply) => reply.Status == 302 ? Redirect(r.Path) : reply,
            "not json" => (_, _) => new HubReply(200, Encoding.UTF8.GetBytes("<html>")),
            "no commit" => (_, _) => new HubReply(200, Encoding.UTF8.GetBytes("""{"sha":"main"}""")),
            "larger than any disk" => (r, reply) => Tree(r) ? Listed(reply, $"\"size\":{size}", "\"size\":1000000000000000") : reply,
            "only pickle" => null,
            _ => throw new ArgumentException(fault),
        };
        if (fault == "only pickle")
        {
            _hub.Files.Remove(Weights);
            _hub.Files.Remove("onnx/model.onnx");
        }
    }

    private ScriptedJob NewJob(string name = "pulled") =>
        new(new ImportRequest { Source = "hf:org/model", Name = name }, Directory.CreateDirectory(Path.Combine(_world.Folder.Scratch, name)).FullName);

    private async Task PublishAsync(ScriptedJob job)
    {
        var publish = await _world.RunAsync(job);
        await using var db = await _world.DbAsync();
        await using var transaction = await db.Database.BeginTransactionAsync();
        await publish(db, CancellationToken.None);
        await transaction.CommitAsync();
    }
}
