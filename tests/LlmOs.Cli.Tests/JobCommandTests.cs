using System.Text.Json;
using LlmOs.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LlmOs.Cli.Tests;

public sealed class JobCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llmos-cli-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Training_sends_the_specification_and_shows_loss_and_what_came_of_it()
    {
        JobView[] states =
        [
            Answers.Job(JobState.Running, 0.25, "training", """{"step":50,"loss":2.3456,"tokens_per_second":1234.5}"""),
            Answers.Job(JobState.Succeeded, 1, "done", result: """{"model":"tiny","version":1,"ref":"tiny:1"}"""),
        ];
        var next = 0;
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/api/v1/training", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202));
            app.MapGet("/api/v1/jobs/job_1", () => states[Math.Min(next++, 1)]);
        });
        var spec = Write("spec.yaml", "name: tiny\ntext: file:story.txt\nlearning_rate: 1e-3\nbudget: {steps: 20}\nseed: 1\nlicense: '1'\nbase: null\n");

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "train", spec);

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains("25 % training step 50, loss 2.346, tokens/s 1235", outcome.Output.Replace("25%", "25 %", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.EndsWith("tiny:1 is ready: llmos run tiny:1\n", outcome.Output, StringComparison.Ordinal);
        var story = JsonSerializer.Serialize("file:" + Path.Combine(_folder.FullName, "story.txt"));
        Assert.Equal($$"""{"name":"tiny","text":{{story}},"learning_rate":0.001,"budget":{"steps":20},"seed":1,"license":"1","base":null}""", server.Requests.First().Body);
    }

    [Fact]
    public async Task A_job_is_followed_by_its_events_and_asked_for_at_its_end()
    {
        JobView[] states = [Answers.Job(JobState.Running, 0.1, "started"), Answers.Job(JobState.Succeeded, 1, "done", result: """{"model":"tiny","version":1,"ref":"tiny:1"}""")];
        var asked = 0;
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/jobs/job_1", () => states[Math.Min(asked++, 2) / 2]); // twice before it is watched
            app.MapGet("/api/v1/jobs/job_1/events", async (HttpResponse response) =>
            {
                response.ContentType = "text/event-stream";
                await Answers.SendAsync(response, Event(7, JobState.Running, 0.5, "storing a.bin"));
                await Answers.SendAsync(response, Event(8, JobState.Succeeded, 1, "done"));
            });
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "jobs", "watch", "job_1");

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.Contains("storing a.bin", outcome.Output, StringComparison.Ordinal);
        Assert.EndsWith("tiny:1 is ready: llmos run tiny:1\n", outcome.Output, StringComparison.Ordinal);
        Assert.Equal("/api/v1/jobs/job_1/events?latest=true", Assert.Single(server.Requests, r => r.Path.Contains("events", StringComparison.Ordinal)).Path);
        Assert.Equal(3, asked); // not once a second

        static string Event(long id, JobState state, double progress, string message) => JsonSerializer.Serialize(
            new JobEventView(id, state, progress, message, 1, JsonSerializer.SerializeToElement(new { }), Answers.Day), LlmOsJson.Options);
    }

    [Fact]
    public async Task An_evaluation_is_sent_for_the_model_that_was_named_and_prints_what_it_found()
    {
        var done = Answers.Job(JobState.Succeeded, 1, "done", result: """{"kind":"perplexity","perplexity":23.06708,"bits_per_byte":1.091047,"interval":[21.5,24.75]}""");
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/api/v1/evaluations", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202));
            app.MapGet("/api/v1/jobs/job_1", () => done);
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "eval", Write("eval.yaml", "kind: perplexity\nmodel: other\nwindow: 512\n"), "--model", "tiny:2");

        Assert.Equal((0, ""), (outcome.Code, outcome.Error));
        Assert.EndsWith("perplexity 23.0671 (95 % 21.5000 to 24.7500), bits per byte 1.0910\n", outcome.Output, StringComparison.Ordinal);
        Assert.Equal("""{"kind":"perplexity","model":"tiny:2","window":512}""", server.Requests.First().Body);
    }

    [Fact]
    public async Task Two_evaluations_are_compared_in_one_line()
    {
        static EvaluationView View(string model) => new("job_1", model, "perplexity", "f", JsonSerializer.SerializeToElement(1), DateTimeOffset.UnixEpoch);
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/api/v1/evaluations/compare", () => new EvaluationComparisonView(View("m:1"), View("m:2"), "nll", 64, 3.25, 3, -0.25, [-0.3, -0.2], 0.0125, "paired_permutation")));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "eval", "compare", "m:1", "m:2");

        Assert.Equal("nll m:1 3.2500, m:2 3.0000: difference -0.2500 (95 % -0.3000 to -0.2000), p = 0.0125, 64 rows, paired_permutation\n", outcome.Output);
        Assert.Equal("""{"first":"m:1","second":"m:2"}""", Assert.Single(server.Requests).Body);
    }

    [Fact]
    public async Task A_failed_job_is_exit_code_1_with_the_reason_and_the_hint()
    {
        var failed = Answers.Job(JobState.Failed, 0.1, "failed", error: new JobError("unsupported_architecture", "The architecture 'X' is not supported.", null, "Import a Llama folder."));
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapPost("/api/v1/models/import", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202));
            app.MapGet("/api/v1/jobs/job_1", () => failed);
        });

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "import", _folder.FullName, "--name", "x");

        Assert.Equal(1, outcome.Code);
        Assert.Equal("llmos: job job_1 failed: The architecture 'X' is not supported. (unsupported_architecture)\nImport a Llama folder.\n", outcome.Error);
        using var body = JsonDocument.Parse(server.Requests.First().Body);
        Assert.Equal("file:" + _folder.FullName, body.RootElement.GetProperty("source").GetString());
    }

    [Fact]
    public async Task A_detached_import_prints_the_job_only()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
            app.MapPost("/api/v1/models/import", () => Results.Json(new JobAccepted(Answers.Job(JobState.Queued, 0, "waiting")), LlmOsJson.Options, statusCode: 202)));

        var outcome = await LlmosCommand.RunAsync(new(server.Address), "import", "hf:org/name", "--name", "x", "--detach");

        Assert.Equal((0, "job_1\n"), (outcome.Code, outcome.Output));
        Assert.Contains("\"source\":\"hf:org/name\"", Assert.Single(server.Requests).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("broken.json", "{\"name\": }", "is not JSON")]
    [InlineData("broken.yaml", "name: [1\nb: 2", "not closed")]
    [InlineData("tabs.yaml", "name: x\n\tbudget: 1", "line 1")]
    [InlineData("list.yaml", "- 1\n- 2", "one mapping")]
    [InlineData("spec.toml", "a = 1", "'.toml'")]
    public async Task A_specification_that_cannot_be_read_is_a_usage_error(string name, string content, string expected)
    {
        var outcome = await LlmosCommand.RunAsync(new("http://127.0.0.1:9"), "train", Write(name, content));

        Assert.Equal(2, outcome.Code);
        Assert.Contains(expected, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jobs_are_listed_and_steered()
    {
        await using var server = await LoopbackServer.StartAsync(app =>
        {
            app.MapGet("/api/v1/jobs", () => new Page<JobView>([Answers.Job(JobState.Running, 0.5, "writing [layer] 3")], null));
            app.MapPost("/api/v1/jobs/job_1/cancel", () => Answers.Job(JobState.Cancelled, 0.5, "cancelled"));
        });

        var list = await LlmosCommand.RunAsync(new(server.Address), "jobs", "--state", "running", "--limit", "5");
        var cancel = await LlmosCommand.RunAsync(new(server.Address), "jobs", "cancel", "job_1");

        Assert.Equal("/api/v1/jobs?state=running&limit=5", server.Requests.First().Path);
        Assert.Contains("job_1", list.Output, StringComparison.Ordinal);
        Assert.Contains("writing [layer] 3", list.Output, StringComparison.Ordinal);
        Assert.Equal("job_1 is cancelled\n", cancel.Output);
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, content);
        return path;
    }
}
