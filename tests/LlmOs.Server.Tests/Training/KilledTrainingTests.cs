using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Training;

/// <summary>Whatever is killed, the job goes on from its checkpoint, and nobody can see from the weights that anything happened.</summary>
public sealed class KilledTrainingTests(KilledTrainingTests.Undisturbed undisturbed) : IClassFixture<KilledTrainingTests.Undisturbed>
{
#if LONG_TESTS
    private const int Steps = 400;
    private const int Kills = 20;
    private const int Stretch = (Steps - 80) / Kills;
#else
    private const int Steps = 120;
#endif
    private const int CheckpointEvery = 3;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The training that nobody touches, made once for the tests that compare with it.</summary>
    public sealed class Undisturbed : IDisposable
    {
        private readonly TempFolder _folder = new();
        private readonly SemaphoreSlim _training = new(1, 1);
        private string? _weights;

        public async Task<string> WeightsAsync()
        {
            await _training.WaitAsync(Cancel);
            try
            {
                if (_weights is null)
                {
                    await using var server = await StartAsync(_folder);
                    _weights = await KilledTrainingTests.WeightsAsync(server, await EndOfAsync(server, await SubmitAsync(server, _folder, "straight")));
                }

                return _weights;
            }
            finally
            {
                _training.Release();
            }
        }

        public void Dispose()
        {
            _training.Dispose();
            _folder.Dispose();
        }
    }

    [Fact]
    public async Task Killed_at_each_stage_the_weights_are_those_of_the_undisturbed_training_and_are_listed_once()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: finds the trainer through /proc");
        using var folder = new TempFolder();
        var faults = new FaultFolder(folder.At("faults"));
        var server = await StartAsync(folder, faults.Environment);
        try
        {
            // The trainer, at each stage of a checkpoint and at its end. Between two kills it writes some whole: one that never gets
            // past its checkpoint ends the job, as it should.
            var trainers = FaultFolder.Points("checkpoint", "result");
            foreach (var (i, point) in trainers.Index())
            {
                faults.Arm(point, passes: point.StartsWith("checkpoint", StringComparison.Ordinal) ? 1 + (3 * i) : 0);
            }

            // The host, at each stage of storing and publishing, once the trainer is through; after the last one the job has ended.
            var points = FaultFolder.Points("training", "publish").OrderBy(point => point == "publish.committed").ToList();
            faults.Arm(points[0]);
            var id = await SubmitAsync(server, folder, "killed");
            for (var i = 0; i < points.Count; i++)
            {
                Assert.Equal(128 + Signals.Kill, await server.WaitForExitAsync());
                Assert.DoesNotContain(trainers, faults.IsArmed);
                await server.DisposeAsync();
                if (i + 1 < points.Count)
                {
                    faults.Arm(points[i + 1]);
                }

                server = await StartAsync(folder, faults.Environment);
            }

            var job = await EndOfAsync(server, id);

            Assert.Equal(await undisturbed.WeightsAsync(), await WeightsAsync(server, job));
            using var client = server.Client();
            Assert.Equal(1, Json.Parse(await client.GetStringAsync("/api/v1/models/killed", Cancel)).GetProperty("versions").GetArrayLength());

            // The last figures of the job are those of what it published, not of the step that a killed host was told last.
            var published = Json.Parse(await client.GetStringAsync("/api/v1/models/killed/versions/1", Cancel)).GetProperty("metrics")[0];
            var last = job.GetProperty("metrics");
            Assert.Equal(published.GetProperty("steps").GetInt32(), last.GetProperty("step").GetInt32());
            Assert.Equal(published.GetProperty("loss").GetDouble(), last.GetProperty("loss").GetDouble());
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

#if LONG_TESTS
    private enum Victim
    {
        Trainer,
        Host,
        Both,
    }

    [Fact]
    public async Task Killed_at_20_random_moments_the_weights_are_those_of_the_undisturbed_training()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: finds the trainer through /proc");
        using var folder = new TempFolder();
        var random = new Random(20_251_125);
        // Where in the training each kill comes: one in each of twenty stretches, the last of them away from the end.
        var moments = Enumerable.Range(0, Kills).Select(i => (i * Stretch) + random.Next(Stretch)).ToList();
        var victims = Enumerable.Range(0, Kills).Select(i => i % 4 == 3 ? Victim.Both : i % 4 == 1 ? Victim.Host : Victim.Trainer).ToArray();
        random.Shuffle(victims);
        var server = await StartAsync(folder);
        try
        {
            var id = await SubmitAsync(server, folder, "killed");
            var reached = 0L;
            foreach (var (moment, victim) in moments.Zip(victims))
            {
                // A trainer that never gets past its checkpoint ends the job, as it should: each is given one to write.
                (var trainer, reached) = await UntilAsync(server, id, Math.Max(moment, reached + CheckpointEvery));
                await Task.Delay(random.Next(40), Cancel); // anywhere in a step, and in the writing of a checkpoint
                if (victim != Victim.Trainer)
                {
                    await server.KillAsync();
                }

                if (victim != Victim.Host)
                {
                    TrainerWatch.Kill(trainer);
                }

                if (victim != Victim.Trainer)
                {
                    await server.DisposeAsync();
                    server = await StartAsync(folder);
                }
            }

            var job = await EndOfAsync(server, id);

            Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
            Assert.Equal(1 + victims.Count(v => v != Victim.Trainer), job.GetProperty("attempt").GetInt32());
            Assert.Equal(Steps, job.GetProperty("metrics").GetProperty("step").GetInt32()); // the figures of what was published
            Assert.Equal(await undisturbed.WeightsAsync(), await WeightsAsync(server, job));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

#endif

    [Fact]
    public async Task A_pause_ends_the_trainer_and_resuming_gives_the_same_weights()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: finds the trainer through /proc");
        using var folder = new TempFolder();
        await using var server = await StartAsync(folder);
        using var client = server.Client();
        var id = await SubmitAsync(server, folder, "paused");
        await UntilAsync(server, id, moment: CheckpointEvery);
        await client.PostAsync($"/api/v1/jobs/{id}/pause", null, Cancel);
        await UntilStateAsync(client, id, "paused");
        var left = TrainerWatch.Of(server.ProcessId);
        await client.PostAsync($"/api/v1/jobs/{id}/resume", null, Cancel);
        var job = await EndOfAsync(server, id);

        Assert.Empty(left);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        Assert.Equal(await undisturbed.WeightsAsync(), await WeightsAsync(server, job));
    }

    [Fact]
    public async Task A_trainer_that_is_killed_again_and_again_without_progress_fails_its_job_with_a_clear_message()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "linux: finds the trainer through /proc");
        using var folder = new TempFolder();
        await using var server = await StartAsync(folder);
        using var client = server.Client();
        var id = await SubmitAsync(server, folder, "stuck", steps: 1_000_000, checkpointEvery: 1_000_000);

        var last = 0;
        for (var start = 0; start < 4; start++)
        {
            last = await UntilTrainerAsync(server, last);
            TrainerWatch.Kill(last);
        }

        var job = await EndOfAsync(server, id);
        Assert.Equal("failed", job.GetProperty("state").GetString());
        var error = job.GetProperty("error");
        Assert.Equal("trainer_crashed", error.GetProperty("code").GetString());
        Assert.Matches(@"^The trainer was killed \(signal 9\)\. .*no model was listed\. It was started again 3 times without getting past the beginning\.$", error.GetProperty("message").GetString());
        Assert.Empty(TrainerWatch.Of(server.ProcessId));
        using var version = await client.GetAsync("/api/v1/models/stuck", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, version.StatusCode);
    }

    private static Task<ServerProcess> StartAsync(TempFolder folder, params KeyValuePair<string, string?>[] environment) => ServerProcess.StartAsync(new ServerStart
    {
        Data = folder.At("data"),

        // Hosts die here faster than a job's progress is stored, so none of them seems to have got further.
        Environment = new Dictionary<string, string?>(environment) { ["Jobs__MaxAttempts"] = "50" },
    });

    private static async Task<string> SubmitAsync(ServerProcess server, TempFolder folder, string name, int steps = Steps, int checkpointEvery = CheckpointEvery)
    {
        var import = Directory.CreateDirectory(folder.At("data", "import")).FullName;
        var text = Path.Combine(import, "text.txt");
        if (!File.Exists(text))
        {
            await File.WriteAllTextAsync(text, string.Concat(Enumerable.Range(0, 2_000).Select(i => $"The {(i % 7 == 0 ? "old " : "")}cat number {i * 37 % 101} sat on mat {i * 53 % 89}.\n")), Cancel);
        }

        using var client = server.Client();
        using var answer = await client.PostAsync("/api/v1/training", Json.Body(new
        {
            name,
            text = $"file:{text}",
            tokenizer = new { train = "bpe", vocabulary = 300 },
            architecture = new { type = "llama", layers = 2, hidden = 64, heads = 2, kv_heads = 1, intermediate = 176, context = 64 },
            budget = new { steps },
            learning_rate = 3e-3,
            seed = 1,
            threads = 1,
            checkpoint_every = checkpointEvery,
            validate_every = 50,
        }), Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        return Json.Parse(body).GetProperty("job").GetProperty("id").GetString()!;
    }

    /// <summary>Waits until a trainer runs and a checkpoint lies at or beyond a step.</summary>
    /// <returns>The trainer's process, and the checkpoint's step.</returns>
    private static async Task<(int Trainer, long Step)> UntilAsync(ServerProcess server, string id, long moment)
    {
        while (true)
        {
            if (TrainerWatch.Checkpoint(server.Data, id) is var step && step >= moment - (moment % CheckpointEvery) && TrainerWatch.Of(server.ProcessId) is [var trainer])
            {
                return (trainer, step);
            }

            await FailIfOverAsync(server, id);
            await Task.Delay(10, Cancel);
        }
    }

    /// <summary>Waits for a trainer other than the last one.</summary>
    private static async Task<int> UntilTrainerAsync(ServerProcess server, int last)
    {
        while (true)
        {
            if (TrainerWatch.Of(server.ProcessId).Where(pid => pid != last).ToList() is [var trainer])
            {
                return trainer;
            }

            await Task.Delay(10, Cancel);
        }
    }

    private static async Task FailIfOverAsync(ServerProcess server, string id)
    {
        using var client = server.Client();
        var job = Json.Parse(await client.GetStringAsync($"/api/v1/jobs/{id}", Cancel));
        Assert.True(job.GetProperty("finished_at").ValueKind == JsonValueKind.Null, job.ToString());
    }

    private static async Task UntilStateAsync(HttpClient client, string id, string state)
    {
        while (Json.Parse(await client.GetStringAsync($"/api/v1/jobs/{id}", Cancel)).GetProperty("state").GetString() != state)
        {
            await Task.Delay(20, Cancel);
        }
    }

    private static async Task<JsonElement> EndOfAsync(ServerProcess server, string id)
    {
        using var client = server.Client();
        return await client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
    }

    /// <summary>The hash of the weights that a job listed.</summary>
    private static async Task<string> WeightsAsync(ServerProcess server, JsonElement job)
    {
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        using var client = server.Client();
        var result = job.GetProperty("result");
        var version = Json.Parse(await client.GetStringAsync($"/api/v1/models/{result.GetProperty("model").GetString()}/versions/{result.GetProperty("version").GetInt32()}", Cancel));
        return version.GetProperty("files").EnumerateArray().Single(f => f.GetProperty("path").GetString() == "model.safetensors").GetProperty("sha256").GetString()!;
    }
}
