using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Training;

/// <summary>Training as a client sees it: over HTTP alone, with the real trainer.</summary>
public sealed class TrainingTests(TrainingTests.Server server) : IClassFixture<TrainingTests.Server>
{
    /// <summary>A server of its own: every trainer below it was started by these tests.</summary>
    public sealed class Server : ServerProcess;

    /// <summary>Small enough for seconds; two letters suffice to see that something was learnt.</summary>
    private const string Sentence = "The cat sat on the mat. The dog lay by the door.\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_request_ends_in_a_version_that_answers_and_shows_how_near_it_is_to_the_trainer()
    {
        using var client = server.Client();

        var job = await EndOfAsync(client, await StartAsync(client, "trained", steps: 40, checkpointEvery: 20));

        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        Assert.Equal("trained:1", job.GetProperty("result").GetProperty("ref").GetString());
        Assert.Equal(40, job.GetProperty("metrics").GetProperty("step").GetInt32());
        Assert.All(["loss", "tokens_per_second", "learning_rate", "gradient_norm"], name => Assert.True(job.GetProperty("metrics").GetProperty(name).GetDouble() >= 0));
        var version = Json.Parse(await client.GetStringAsync("/api/v1/models/trained/versions/1", Cancel));
        Assert.Equal(32, version.GetProperty("parity").GetProperty("prompts").GetInt32());
        Assert.InRange(version.GetProperty("parity").GetProperty("max_abs_diff").GetDouble(), 0, 1e-3);
        Assert.Equal(job.GetProperty("id").GetString(), version.GetProperty("lineage").GetProperty("job").GetString());
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "trained", prompt = "The cat", max_tokens = 8, temperature = 0 });
        Assert.Equal(" sat on the mat. The dog lay", reply.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    [Fact]
    public async Task A_killed_trainer_fails_its_job_with_a_clear_message_and_nothing_else()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: finds the trainer through /proc");
        using var client = server.Client();
        var id = await StartAsync(client, "killed", steps: 1_000_000, checkpointEvery: 0);
        await UntilAsync(client, id, job => job.GetProperty("metrics").TryGetProperty("step", out _));

        Process.GetProcessById(Assert.Single(Trainers())).Kill(); // SIGKILL
        var job = await EndOfAsync(client, id);

        Assert.Equal("failed", job.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, job.GetProperty("result").ValueKind);
        var error = job.GetProperty("error");
        Assert.Equal("trainer_crashed", error.GetProperty("code").GetString());
        Assert.Matches(@"^The trainer was killed \(signal 9\)\. It had done [0-9]+ steps; no model was listed\.", error.GetProperty("message").GetString());
        Assert.Contains("ran out of memory", error.GetProperty("hint").GetString(), StringComparison.Ordinal);

        // Nothing else: no model, no trainer left behind, a server that serves and trains.
        using var version = await client.GetAsync("/api/v1/models/killed", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, version.StatusCode);
        Assert.Empty(Trainers());
        Assert.Null(server.ExitCode);
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        var next = await EndOfAsync(client, await StartAsync(client, "after-the-kill", steps: 3, checkpointEvery: 0));
        Assert.True(next.GetProperty("state").GetString() == "succeeded", next.ToString());
    }

    private async Task<string> StartAsync(HttpClient client, string name, int steps, int checkpointEvery)
    {
        var text = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, $"{name}.txt");
        await File.WriteAllTextAsync(text, string.Concat(Enumerable.Repeat(Sentence, 500)), Cancel);
        using var answer = await client.PostAsync("/api/v1/training", Json.Body(new
        {
            name,
            text = $"file:{text}",
            tokenizer = new { train = "bpe", vocabulary = 300 },
            architecture = new { type = "llama", layers = 2, hidden = 64, heads = 2, kv_heads = 1, intermediate = 176, context = 64 },
            budget = new { steps },
            learning_rate = 3e-3,
            seed = 1,
            checkpoint_every = checkpointEvery,
        }), Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        return Json.Parse(body).GetProperty("job").GetProperty("id").GetString()!;
    }

    private static Task<JsonElement> EndOfAsync(HttpClient client, string id) => client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);

    private static async Task UntilAsync(HttpClient client, string id, Predicate<JsonElement> isSo)
    {
        while (Json.Parse(await client.GetStringAsync($"/api/v1/jobs/{id}", Cancel)) is var job && !isSo(job))
        {
            Assert.True(job.GetProperty("finished_at").ValueKind == JsonValueKind.Null, job.ToString());
            await Task.Delay(50, Cancel);
        }
    }

    /// <summary>Process ids of the server's trainers.</summary>
    private IReadOnlyList<int> Trainers() =>
    [
        .. Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0 && StatusOf(pid) is { Name: "LlmOs.Trainer" } status && status.Parent == server.ProcessId && status.State != 'Z'),
    ];

    /// <summary>Null for a process that is gone.</summary>
    private static (string Name, char State, int Parent)? StatusOf(int pid)
    {
        try
        {
            // pid (name) state parent ...; the name may hold anything, so the last bracket counts.
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var end = text.LastIndexOf(')');
            var rest = text[(end + 2)..].Split(' ');
            return (text[(text.IndexOf('(', StringComparison.Ordinal) + 1)..end], rest[0][0], int.Parse(rest[1], CultureInfo.InvariantCulture));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
