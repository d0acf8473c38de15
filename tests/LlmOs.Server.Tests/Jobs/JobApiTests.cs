using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Jobs;

/// <summary>Jobs over HTTP, on the built server: imports of the model that comes with it.</summary>
public sealed class JobApiTests : IAsyncLifetime
{
    private static readonly string Starter = Path.Combine(SharedFolder.Repository, "models", "starter");
    private readonly TempFolder _temp = new();
    private ServerProcess _server = null!;
    private LlmOsClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        CopyStarter("whole");
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _temp.Dispose();
    }

    [Fact]
    public async Task A_job_comes_after_another_and_its_history_can_be_read_from_anywhere_and_after_a_restart()
    {
        var first = await _client.SubmitJobAsync(Import("whole", "one"), default);
        var second = await _client.SubmitJobAsync(Import("whole", "two") with { After = [first.Id], Priority = 100 }, default);
        Assert.Equal((100, first.Id), (second.Priority, Assert.Single(second.After)));

        var done = await _client.GetJobAsync(second.Id, 60, default);
        Assert.Equal((JobState.Succeeded, "two:1"), (done.State, done.Result?.GetProperty("ref").GetString()));
        var before = await _client.GetJobAsync(first.Id, 0, default);
        Assert.True(before.FinishedAt <= done.StartedAt, "the second began before the first had ended");

        var whole = await FollowAsync(second.Id, lastEventId: null);
        Assert.Equal([JobState.Queued, JobState.Running], whole.Take(2).Select(e => e.State));
        Assert.Equal(JobState.Succeeded, whole[^1].State);
        Assert.Equal(whole.Skip(2).Select(e => e.Id), (await FollowAsync(second.Id, lastEventId: whole[1].Id)).Select(e => e.Id));
        var page = await _client.ListJobEventsAsync(second.Id, null, 2, default);
        Assert.Equal(whole.Take(2).Select(e => e.Id), page.Items.Select(e => e.Id));
        Assert.Equal($"{whole[1].Id}", page.Next);

        Assert.Equal(0, await _server.StopAsync());
        _client.Dispose();
        await _server.DisposeAsync();
        await StartAsync();

        Assert.Equal(whole.Select(e => (e.Id, e.State, e.Message)), (await FollowAsync(second.Id, null)).Select(e => (e.Id, e.State, e.Message)));
        Assert.Equal(done.FinishedAt, (await _client.GetJobAsync(second.Id, 0, default)).FinishedAt);
    }

    [Fact]
    public async Task A_failed_job_says_why_and_its_retry_makes_the_first_version()
    {
        var weights = Path.Combine(CopyStarter("cut"), "model.safetensors");
        var bytes = await File.ReadAllBytesAsync(weights);
        await File.WriteAllBytesAsync(weights, bytes[..^1000]);
        var job = await _client.SubmitJobAsync(Import("cut", "cut"), default);

        var failed = await _client.GetJobAsync(job.Id, 60, default);
        var log = await _client.ListJobLogsAsync(job.Id, null, null, default);
        Assert.Equal((JobState.Failed, "corrupt_file"), (failed.State, failed.Error?.Code));
        Assert.StartsWith("corrupt_file: ", Assert.Single(log.Items, l => l.Level == JobLogLevel.Error).Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Conflict, (await Assert.ThrowsAsync<LlmOsApiException>(() => _client.SubmitJobAsync(Import("whole", "late") with { After = [job.Id] }, default))).Status);

        await File.WriteAllBytesAsync(weights, bytes);
        await _client.ChangeJobAsync(job.Id, "retry", default);
        var done = await _client.GetJobAsync(job.Id, 60, default);

        Assert.Equal((JobState.Succeeded, 2, "cut:1"), (done.State, done.Attempt, done.Result?.GetProperty("ref").GetString()));
        Assert.Equal([1], (await _client.GetModelAsync("cut", default)).Versions);
    }

    private async Task StartAsync()
    {
        _server = await ServerProcess.StartAsync(new ServerStart
        {
            Data = _temp.At("data"),
            Environment = new Dictionary<string, string?> { ["LLMOS_IMPORT_DIRS"] = _temp.Path },
        });
        _client = new LlmOsClient(_server.Client());
    }

    private JobRequest Import(string folder, string name) => new()
    {
        Kind = "import",
        Spec = JsonSerializer.SerializeToElement(new { source = $"file:{_temp.At(folder)}", name }),
    };

    private string CopyStarter(string name)
    {
        var target = Directory.CreateDirectory(_temp.At(name)).FullName;
        foreach (var file in Directory.GetFiles(Starter))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        return target;
    }

    /// <summary>The job's events as a browser would take them, to the end of the stream.</summary>
    private async Task<List<JobEventView>> FollowAsync(string id, long? lastEventId)
    {
        using var http = _server.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{id}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is { } last)
        {
            request.Headers.Add("Last-Event-ID", $"{last}");
        }

        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        await using var body = await response.Content.ReadAsStreamAsync();
        return await SseParser.Create(body).EnumerateAsync()
            .Select(item => JsonSerializer.Deserialize<JobEventView>(item.Data, LlmOsJson.Options)!)
            .ToListAsync();
    }
}
