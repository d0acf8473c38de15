#if LONG_TESTS
using System.Diagnostics;
using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;
using Microsoft.Data.Sqlite;

namespace LlmOs.Server.Tests.Hosting.Chaos;

/// <summary>One store, fifty callers that write to it, and one disturbance after the other. After each, what docs/reliability.md promises holds.</summary>
public sealed class ChaosTests : IAsyncLifetime
{
    private readonly PostgresServer _postgres = new();
    private readonly TempFolder _temp = new();
    private readonly SmallDisk _disk = new();
    private readonly ChaosWriters _writers;
    private ServerProcess _server = null!;
    private string? _database;
    private int _address = 1;

    public ChaosTests() => _writers = new ChaosWriters(() => _server);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Data => Path.Combine(_disk.Root, "data");

    private FaultFolder Faults => new(_temp.At("faults"));

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await _disk.DisposeAsync();
        await _postgres.DisposeAsync();
        _writers.Dispose();
        _temp.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_each_disturbance_every_promise_holds(bool onPostgres)
    {
        await _disk.MountAsync(megabytes: 400);
        if (onPostgres)
        {
            _postgres.RequireOwn();
            _database = await _postgres.NewDatabaseAsync();
        }

        await StartAsync();
        await PhaseAsync("many callers", () => Task.CompletedTask);
        await PhaseAsync("the process is stopped and goes on", HoldAsync);
        await PhaseAsync("the disk is full", FillAsync);
        await PhaseAsync(onPostgres ? "the database is stopped and started" : "the database is locked", onPostgres ? StopDatabaseAsync : LockDatabaseAsync);
        await PhaseAsync("the clock jumps", JumpAsync);
        await PhaseAsync("the process is killed", KillAsync);
        if (onPostgres)
        {
            await PhaseAsync("three connections for everybody", () => RestartAsync($"{_database};Maximum Pool Size=3;Timeout=1"));
        }

        foreach (var point in FaultFolder.Points("import", "store", "publish"))
        {
            await PhaseAsync($"killed at {point}", () => KilledAtAsync(point));
        }

        await ReadOnlyAsync();
        await CheckAsync("a read-only folder");
        Assert.Equal(0, await _server.StopAsync());
    }

    private async Task PhaseAsync(string name, Func<Task> disturb)
    {
        var began = Stopwatch.StartNew();
        await _writers.WhileAsync(disturb, Cancel);
        await CheckAsync(name);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{name}: {began.Elapsed.TotalSeconds:0} s; {_writers.Keys.Count} keys, {_writers.Revoked.Count} revoked, {_writers.Blobs.Count} files, {_writers.Jobs.Count} jobs; answers so far: {_writers.Summary}");
    }

    /// <summary>All that was answered with success is there; nothing is damaged; every job has ended; the model says what it said.</summary>
    private async Task CheckAsync(string name)
    {
        await _server.WaitUntilReadyAsync();
        using var client = _server.Client();
        Assert.True(_writers.Faults.IsEmpty, $"{name}: {string.Join('\n', _writers.Faults.Take(5))}");

        foreach (var key in _writers.Keys.Values.TakeLast(40))
        {
            await ExpectAsync(key, HttpStatusCode.OK);
        }

        foreach (var key in _writers.Revoked.Take(40))
        {
            await ExpectAsync(key, HttpStatusCode.Unauthorized);
        }

        foreach (var blob in _writers.Blobs)
        {
            using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"/api/v1/artifacts/{blob}"), Cancel);
            Assert.True(head.IsSuccessStatusCode, $"{name}: the file {blob} is gone");
        }

        foreach (var alias in _writers.Aliases.Keys)
        {
            await client.GetStringAsync($"/api/v1/models/starter/aliases/{alias}", Cancel);
        }

        foreach (var id in _writers.Jobs)
        {
            var job = await client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
            var state = job.GetProperty("state").GetString();
            Assert.True(state == "succeeded" || job.GetProperty("error").GetProperty("code").GetString() is "out_of_disk" or "unavailable", $"{name}: {job}");
        }

        using var made = await client.PostAsync("/api/v1/artifacts/verify", Json.Raw("{}"), Cancel);
        var verified = await client.WaitForJobAsync($"{made.Headers.Location}", Cancel);
        Assert.True(verified.GetProperty("result").GetProperty("damaged").GetArrayLength() + verified.GetProperty("result").GetProperty("missing").GetArrayLength() == 0, $"{name}: {verified}");

        using var collected = await client.PostAsync("/api/v1/artifacts/collect?preview=true", null, Cancel);
        Assert.Equal(HttpStatusCode.OK, collected.StatusCode);
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
    }

    private async Task ExpectAsync(string key, HttpStatusCode code)
    {
        // An address each: who sends many wrong keys is held up.
        using var client = _server.Client(key, from: new IPAddress([127, 9, (byte)(_address >> 8), (byte)_address++]));
        using var answer = await client.GetAsync("/v1/models", Cancel);
        Assert.Equal(code, answer.StatusCode);
    }

    private async Task HoldAsync()
    {
        Signals.Send(_server.ProcessId, Signals.Stop);
        await Task.Delay(TimeSpan.FromSeconds(8), Cancel); // beyond the lease of a job
        Signals.Send(_server.ProcessId, Signals.Continue);
    }

    private async Task FillAsync()
    {
        var before = _writers.Seen(HttpStatusCode.InsufficientStorage);
        var fill = _disk.Fill();
        await _writers.UntilAnsweredAsync(HttpStatusCode.InsufficientStorage, before, Cancel);
        File.Delete(fill);
    }

    private async Task StopDatabaseAsync()
    {
        var before = _writers.Seen(HttpStatusCode.ServiceUnavailable);
        await _postgres.StopServerAsync();
        await _writers.UntilAnsweredAsync(HttpStatusCode.ServiceUnavailable, before, Cancel);
        await _postgres.StartServerAsync();
    }

    private async Task LockDatabaseAsync()
    {
        var before = _writers.Seen(HttpStatusCode.ServiceUnavailable);
        await using var other = new SqliteConnection($"Data Source={Path.Combine(Data, "llmos.db")};Pooling=False;Default Timeout=60");
        await other.OpenAsync(Cancel);
        await using (other.BeginTransaction(System.Data.IsolationLevel.Serializable, deferred: false))
        {
            await _writers.UntilAnsweredAsync(HttpStatusCode.ServiceUnavailable, before, Cancel);
        }
    }

    /// <summary>A day ahead and two days back, while callers write and jobs run.</summary>
    private async Task JumpAsync()
    {
        var clock = new FakeClock(_temp.At("clock"));
        Assert.Equal(0, await _server.StopAsync());
        await AgainAsync(clock: clock);
        foreach (var days in new[] { 1, -2, 0 })
        {
            clock.Set(TimeSpan.FromDays(days));
            await _writers.UntilAnsweredAsync(HttpStatusCode.Accepted, _writers.Seen(HttpStatusCode.Accepted), Cancel);
            while (Math.Abs(await DaysAheadAsync() - days) > 0.1)
            {
                await Task.Delay(100, Cancel); // the header is written anew each second
            }
        }
    }

    /// <summary>How far the server's time of day is from the true one.</summary>
    private async Task<double> DaysAheadAsync()
    {
        using var client = _server.Client();
        using var answer = await client.GetAsync("/healthz", Cancel);
        return (answer.Headers.Date!.Value - TimeProvider.System.GetUtcNow()).TotalDays;
    }

    private async Task KillAsync()
    {
        await _server.KillAsync();
        await AgainAsync();
    }

    private async Task RestartAsync(string? database)
    {
        Assert.Equal(0, await _server.StopAsync());
        await AgainAsync(database);
    }

    private async Task KilledAtAsync(string point)
    {
        Faults.Arm(point);
        using var client = _server.Client();
        var name = $"at-{point.Replace('.', '-').Replace('_', '-')}";
        string? job = null;
        try
        {
            using var answer = await client.PostAsync("/api/v1/models/import", Json.Body(new { source = $"file:{Golden}", name }), Cancel);
            job = answer.IsSuccessStatusCode ? $"{answer.Headers.Location}" : null;
        }
        catch (HttpRequestException)
        {
            // Another caller's file came to the point first.
        }

        Assert.Equal(128 + Signals.Kill, await _server.WaitForExitAsync());
        await AgainAsync();
        if (job is not null)
        {
            using var after = _server.Client();
            var end = await after.WaitForJobAsync(job, Cancel);
            Assert.True(end.GetProperty("state").GetString() == "succeeded", end.ToString());
            Assert.Equal(1, Json.Parse(await after.GetStringAsync($"/api/v1/models/{name}", Cancel)).GetProperty("versions").GetArrayLength());
        }
    }

    /// <summary>A folder that may only be read (modes do not stop root) is refused at the start, and nothing in it changes.</summary>
    private async Task ReadOnlyAsync()
    {
        Assert.Equal(0, await _server.StopAsync());
        await _server.DisposeAsync();
        var copy = await _disk.ShowReadOnlyAsync();
        try
        {
            await using var refused = await ServerProcess.StartAsync(StartOf(Path.Combine(copy, "data"), _database) with { WaitUntilReady = false });
            Assert.Equal(2, await refused.WaitForExitAsync());
            Assert.Contains("LLMOS_DATA", refused.Output, StringComparison.Ordinal);
        }
        finally
        {
            await SmallDisk.HideAsync(copy);
        }

        await StartAsync();
    }

    private static string Golden => Path.Combine(SharedFolder.Repository, "tests", "golden", "llama");

    private async Task AgainAsync(string? database = null, FakeClock? clock = null)
    {
        var old = _server;
        _server = await ServerProcess.StartAsync(StartOf(Data, database ?? _database, clock));
        await old.DisposeAsync();
    }

    private async Task StartAsync() => _server = await ServerProcess.StartAsync(StartOf(Data, _database));

    private ServerStart StartOf(string data, string? database, FakeClock? clock = null) => new()
    {
        Data = data,
        Environment = new Dictionary<string, string?>([Faults.Environment, .. clock?.Environment ?? []]) { ["LLMOS_DATABASE"] = database, ["LLMOS_IMPORT_DIRS"] = Path.GetDirectoryName(Golden) },
    };
}
#endif
