using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Schemas;

/// <summary>A database of an earlier schema is brought to this one when a server starts, and loses nothing.</summary>
public sealed class UpgradeTests(PostgresServer postgres)
{
    private static readonly string[] OldIds = ["Initial", "RegistryWhole", "JobsWhole", "Tokenizers", "Evaluations", "Users"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, bool> Saved
    {
        get
        {
            TheoryData<string, bool> data = [];
            foreach (var name in SavedSchema.Names)
            {
                data.Add(name, false);
                data.Add(name, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Saved))]
    public async Task Every_row_is_there_after_the_upgrade_and_a_second_start_changes_nothing(string name, bool onPostgres)
    {
        await using var saved = await SavedSchema.OpenAsync(name, onPostgres ? postgres : null);
        var columns = Lasting(await saved.ColumnsAsync());
        var before = await saved.RowsAsync(columns);
        Assert.All(columns.Keys, table => Assert.Contains(before, row => row.StartsWith($"{table}: ", StringComparison.Ordinal)));

        await using (var server = await ServerProcess.StartAsync(saved.Start))
        {
            Assert.Equal(name == SavedSchema.SixMigrations, server.Output.Contains("\"LogAdopted\"", StringComparison.Ordinal));
            Assert.Contains("\"LogMigrated\"", server.Output, StringComparison.Ordinal);
            await ReadAsync(server);
            Assert.Equal(0, await server.StopAsync());
        }

        Assert.Equal(before, await saved.RowsAsync(columns));
        var history = await saved.HistoryAsync();
        Assert.EndsWith("_Initial", history[0], StringComparison.Ordinal);
        Assert.DoesNotContain(history, id => OldIds.Skip(1).Any(old => id.EndsWith(old, StringComparison.Ordinal)));

        await using (var server = await ServerProcess.StartAsync(saved.Start))
        {
            Assert.DoesNotContain("\"LogAdopted\"", server.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("\"LogMigrated\"", server.Output, StringComparison.Ordinal);
            Assert.Equal(0, await server.StopAsync());
        }

        Assert.Equal(before, await saved.RowsAsync(columns));
        Assert.Equal(history, await saved.HistoryAsync());
    }

    public static TheoryData<bool, string, string> Refused
    {
        get
        {
            (string Sql, string Says)[] cases =
            [
                ("delete from \"__EFMigrationsHistory\" where migration_id like '%_Users'", "Start the previous release on it once"),
                ("insert into \"__EFMigrationsHistory\" values ('29990101000000_FromTomorrow', '99.0.0')", "of a newer version"),
                ("delete from \"__EFMigrationsHistory\"; insert into \"__EFMigrationsHistory\" values ('29990101000000_FromTomorrow', '99.0.0')", "of a newer version"),
                ("alter table jobs add column mine text", "not expected: column jobs.mine"),
                ("drop index ix_jobs_id", "missing: unique index jobs ix_jobs_id (id)"),
            ];
            TheoryData<bool, string, string> data = [];
            foreach (var (sql, says) in cases)
            {
                data.Add(false, sql, says);
                data.Add(true, sql, says);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task What_cannot_be_upgraded_is_refused_with_exit_code_3_and_left_as_it_was(bool onPostgres, string sql, string says)
    {
        await using var saved = await SavedSchema.OpenAsync(SavedSchema.SixMigrations, onPostgres ? postgres : null);
        await saved.ExecuteAsync(sql);
        var columns = await saved.ColumnsAsync();
        var (rows, history) = (await saved.RowsAsync(columns), await saved.HistoryAsync());

        await using var server = await ServerProcess.StartAsync(saved.Start with { WaitUntilReady = false });
        var code = await server.WaitForExitAsync();

        Assert.Equal(3, code);
        Assert.Contains(says, server.Output, StringComparison.Ordinal);
        Assert.Equal(history, await saved.HistoryAsync());
        Assert.Equal(rows, await saved.RowsAsync(columns));
    }

    /// <summary>All but what each start writes: which nodes there are, when a key was last used, and that the starter's row was looked at under its lock.</summary>
    private static Dictionary<string, string[]> Lasting(IReadOnlyDictionary<string, string[]> columns) =>
        columns.Where(pair => pair.Key is not ("nodes" or "sqlite_sequence"))
            .ToDictionary(pair => pair.Key, pair => pair.Value.Where(column => column is not ("last_used_at" or "row_version")).ToArray(), StringComparer.Ordinal);

    /// <summary>What SchemaMaker wrote, as the API shows it.</summary>
    private static async Task ReadAsync(ServerProcess server)
    {
        using var client = server.Client();
        async Task<JsonElement> Get(string path) => Json.Parse(await client.GetStringAsync(path, Cancel));
        async Task<List<string?>> Names(string path, string field) =>
            [.. (await Get(path)).GetProperty("items").EnumerateArray().Select(item => item.GetProperty(field).GetString())];

        Assert.Equal(["ada", "grace"], (await Names("/api/v1/users", "name")).Order());
        Assert.Subset(new HashSet<string?>(await Names("/api/v1/keys", "name")), new HashSet<string?> { "Ωmega's laptop", "revoked" });
        Assert.Equal(["cats", "empty", "starter", "starter-copy"], (await Names("/api/v1/models", "name")).Order());
        Assert.Equal(["after", "learnt/pieces"], (await Names("/api/v1/tokenizers", "name")).Order());
        Assert.Equal(["tales"], await Names("/api/v1/apps", "slug"));
        var cats = await Get("/api/v1/models/cats/versions/1");
        Assert.True(cats.GetProperty("files").GetArrayLength() >= 3, cats.ToString());
        Assert.Equal("learnt/pieces", (await Get("/api/v1/tokenizers/learnt%2Fpieces")).GetProperty("name").GetString());
        Assert.Contains("漢字", (await Get("/api/v1/models/empty/card")).ToString(), StringComparison.Ordinal);
        Assert.Equal(1, (await Get("/api/v1/models/starter/aliases/live")).GetProperty("version").GetInt32());
        Assert.Equal(2, (await Names("/api/v1/evaluations", "id")).Count);

        var jobs = (await Get("/api/v1/jobs?limit=100")).GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(6, jobs.Count);
        Assert.Equal(["after", "cats", "cats:1", "learnt/pieces", "small", "starter:1"], jobs.Select(job => job.GetProperty("subject").GetString()).Order(StringComparer.Ordinal));
        foreach (var job in jobs)
        {
            var shown = await Get($"/api/v1/jobs/{job.GetProperty("id").GetString()}");
            Assert.NotEqual(JsonValueKind.Null, shown.GetProperty("finished_at").ValueKind);
        }

        var training = jobs.Single(job => job.GetProperty("kind").GetString() == "training").GetProperty("id").GetString();
        Assert.True((await Get($"/api/v1/jobs/{training}/logs?limit=100")).GetProperty("items").GetArrayLength() > 0);
    }
}
