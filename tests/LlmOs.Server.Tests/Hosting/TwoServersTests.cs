using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>Several hosts on one PostgreSQL, as a cluster starts them: at the same moment, on a database where nothing is yet.</summary>
public sealed class TwoServersTests(PostgresServer postgres)
{
    [Fact]
    public async Task Two_servers_that_start_at_once_on_an_empty_database_migrate_it_once()
    {
        var database = await postgres.NewDatabaseAsync();
        using var folder = new TempFolder();
        var start = new ServerStart
        {
            Data = folder.At("data"), // one folder for both, as hosts that share their files have it
            WaitUntilReady = false,
            Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = database },
        };

        var servers = await Task.WhenAll(ServerProcess.StartAsync(start), ServerProcess.StartAsync(start));
        await using var first = servers[0];
        await using var second = servers[1];
        await Task.WhenAll(first.WaitUntilReadyAsync(), second.WaitUntilReadyAsync());

        Assert.Single(servers, server => server.Output.Contains("\"LogMigrated\"", StringComparison.Ordinal));
        foreach (var server in servers)
        {
            using var client = server.Client();
            var versions = Json.Parse(await client.GetStringAsync("/api/v1/models/starter/versions", TestContext.Current.CancellationToken));
            Assert.Equal(1, versions.GetProperty("items").GetArrayLength());
            var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
            Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        }

        await CheckMigrationsAsync(database);
        Assert.All(await Task.WhenAll(servers.Select(server => server.StopAsync())), exitCode => Assert.Equal(0, exitCode));
    }

    /// <summary>Each migration stands once in the database's own list, and the tables are there once.</summary>
    private static async Task CheckMigrationsAsync(string database)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand("""select count(*) - count(distinct migration_id) from "__EFMigrationsHistory" """);
        Assert.Equal(0L, await command.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }
}
