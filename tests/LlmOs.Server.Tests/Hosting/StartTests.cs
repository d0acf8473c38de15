using System.Net;
using System.Net.Sockets;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Server.Tests.Schemas;
using LlmOs.Testing;
using Npgsql;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>What stands in the way of a start is named, and nothing is lost by it.</summary>
public sealed class StartTests(PostgresServer postgres) : IDisposable
{
    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task A_port_that_is_taken_does_not_cost_the_only_admin_key()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var taken = new ServerStart
        {
            Data = _temp.At("data"),
            WaitUntilReady = false,
            Environment = new Dictionary<string, string?> { ["LLMOS_ADMIN_KEY"] = null, ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{((IPEndPoint)other.LocalEndpoint).Port}" },
        };
        await using (var refused = await ServerProcess.StartAsync(taken))
        {
            Assert.Equal(2, await refused.WaitForExitAsync());
            Assert.Contains("ASPNETCORE_URLS", refused.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("Admin key", refused.Output, StringComparison.Ordinal);
        }

        await using var server = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data"), Environment = new Dictionary<string, string?> { ["LLMOS_ADMIN_KEY"] = null } });
        var key = (await server.WaitForLineAsync("Admin key")).Split(' ')[^1];
        using var client = server.Client(key);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/keys", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_lost_admin_key_is_made_anew_while_no_server_runs()
    {
        var settings = new Dictionary<string, string?> { ["LLMOS_DATA"] = _temp.At("data") };
        await using (var server = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") }))
        {
            var running = await ServerWords.RunAsync(settings, "admin", "reset-key");
            Assert.Equal(2, running.Code);
            Assert.Contains("in use by the server with process id", running.Error, StringComparison.Ordinal);
            Assert.Equal(0, await server.StopAsync());
        }

        var made = await ServerWords.RunAsync(settings, "admin", "reset-key", "--revoke-others", "--json");

        Assert.Equal(0, made.Code);
        await using var again = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") });
        using (var client = again.Client(Json.Parse(made.Output).GetProperty("key").GetString()))
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/v1/keys", Cancel)).StatusCode);
        }

        using var lost = again.Client();
        Assert.Equal(HttpStatusCode.Unauthorized, (await lost.GetAsync("/api/v1/keys", Cancel)).StatusCode);
    }

    [Fact]
    public async Task A_data_folder_whose_database_was_moved_away_is_refused_and_keeps_its_models()
    {
        await using (var server = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") }))
        {
            Assert.Equal(0, await server.StopAsync());
        }

        var blobs = Directory.GetFiles(_temp.At("data", "blobs"), "*", SearchOption.AllDirectories);
        File.Move(_temp.At("data", "llmos.db"), _temp.At("llmos.db"));
        await using (var refused = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data"), WaitUntilReady = false }))
        {
            Assert.Equal(2, await refused.WaitForExitAsync());
            Assert.Contains("LLMOS_DATA", refused.Output, StringComparison.Ordinal);
            Assert.Contains("there is no llmos.db in it", refused.Output, StringComparison.Ordinal);
        }

        Assert.Equal(blobs, Directory.GetFiles(_temp.At("data", "blobs"), "*", SearchOption.AllDirectories));
        File.Move(_temp.At("llmos.db"), _temp.At("data", "llmos.db"));
        await using var back = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") });
    }

    [Fact]
    public async Task A_second_host_on_one_database_with_a_folder_of_its_own_is_refused()
    {
        var environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = await postgres.NewDatabaseAsync() };
        await using var first = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("shared"), Environment = environment });
        await using var second = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("own"), Environment = environment, WaitUntilReady = false });

        Assert.Equal(2, await second.WaitForExitAsync());
        Assert.Contains("All hosts of one database share one data folder", second.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_was_killed_does_not_keep_the_next_from_beginning()
    {
        await using var saved = await SavedSchema.OpenAsync("rooms", postgres: null);
        await saved.ExecuteAsync("""create table if not exists "__EFMigrationsLock" (id integer primary key, timestamp text not null); insert into "__EFMigrationsLock" values (1, '2026-11-30')""");

        await using var server = await ServerProcess.StartAsync(saved.Start);

        Assert.Contains("\"LogMigrated\"", server.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_waits_for_another_to_migrate_says_for_whom_and_not_for_ever()
    {
        var database = await postgres.NewDatabaseAsync();
        await using var other = new NpgsqlConnection(database);
        await other.OpenAsync(Cancel);
        await using (var take = new NpgsqlCommand($"select pg_advisory_lock({0x6c_6c_6d_6f_73})", other))
        {
            await take.ExecuteNonQueryAsync(Cancel);
        }

        var start = new ServerStart { Data = _temp.At("data"), WaitUntilReady = false, Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = database, ["Database__MigrationMinutes"] = "0.1" } };
        await using (var impatient = await ServerProcess.StartAsync(start))
        {
            Assert.Equal(3, await impatient.WaitForExitAsync());
            Assert.True(impatient.Output.Contains($"process {other.ProcessID}", StringComparison.Ordinal), impatient.Output);
            Assert.Contains("Database:MigrationMinutes", impatient.Output, StringComparison.Ordinal);
        }

        await using var patient = await ServerProcess.StartAsync(start with { Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = database } });
        await patient.WaitForLineAsync($"process {other.ProcessID}");
        using (var client = new HttpClient { BaseAddress = new Uri((await patient.WaitForLineAsync("LlmOs listens on ")).Split(' ')[3]) })
        {
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz", Cancel)).StatusCode);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/readyz", Cancel)).StatusCode);
            using var early = await client.GetAsync("/v1/models", Cancel);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, early.StatusCode);
            Assert.NotNull(early.Headers.RetryAfter);
        }

        await other.CloseAsync();
        NpgsqlConnection.ClearPool(other);
        await patient.WaitUntilReadyAsync();
    }

    [Fact]
    public async Task A_starter_that_was_archived_or_deleted_stays_away_and_the_server_is_ready()
    {
        await using (var server = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") }))
        {
            using var client = server.Client();
            using var archived = await client.PatchAsync("/api/v1/models/starter", Json.Body(new { archived = true }), Cancel);
            Assert.Equal(HttpStatusCode.OK, archived.StatusCode);
            Assert.Equal(0, await server.StopAsync());
        }

        await using (var server = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") }))
        {
            using var client = server.Client();
            Assert.Empty(Json.Parse(await client.GetStringAsync("/v1/models", Cancel)).GetProperty("data").EnumerateArray());
            using var back = await client.PatchAsync("/api/v1/models/starter", Json.Body(new { archived = false }), Cancel);
            using var deleted = await client.DeleteAsync("/api/v1/models/starter", Cancel);
            Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
            Assert.Equal(0, await server.StopAsync());
        }

        await using var without = await ServerProcess.StartAsync(new ServerStart { Data = _temp.At("data") });
        using var last = without.Client();
        Assert.Empty(Json.Parse(await last.GetStringAsync("/v1/models", Cancel)).GetProperty("data").EnumerateArray());
    }
}
