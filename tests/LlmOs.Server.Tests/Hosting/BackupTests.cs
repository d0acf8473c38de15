using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using LlmOs.Server.Tests.Http;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>A backup that is made of a running server brings everything back, on both databases, whatever kills what makes or restores it.</summary>
public sealed class BackupTests(PostgresServer postgres) : IDisposable
{
    private static readonly byte[] Content = [.. Enumerable.Range(0, 5_000).Select(i => (byte)(i * 7))];
    /// <summary>What a format of lines and columns could stumble over.</summary>
    private const string Reason = "naïve 漢字 \\ \t \\N \n 👩‍🚀";

    private readonly TempFolder _temp = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<bool> Databases => [false, true];

    public void Dispose() => _temp.Dispose();

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Everything_is_there_after_the_server_was_killed_and_its_folder_lost(bool onPostgres)
    {
        var before = await SettingsAsync("before", onPostgres);
        Made made;
        await using (var server = await ServerProcess.StartAsync(StartOf(before)))
        {
            made = await FillAsync(server);
            Assert.Equal(0, (await ServerWords.RunAsync(before, "backup", _temp.At("backup"))).Code);
            await server.KillAsync();
        }

        var after = await SettingsAsync("after", onPostgres);
        var restored = await ServerWords.RunAsync(after, "restore", _temp.At("backup"), "--json");
        Assert.True(restored.Code == 0, restored.Error);
        Assert.Equal(JsonValueKind.Array, Json.Parse(restored.Output).GetProperty("lacking").ValueKind);

        await using (var server = await ServerProcess.StartAsync(StartOf(after)))
        {
            await CheckAsync(server, made);
            Assert.Equal(0, await server.StopAsync());
        }

        Assert.NotEqual(await StoreIdAsync("before"), await StoreIdAsync("after")); // two stores, which nobody may mix up
    }

    [Theory]
    [MemberData(nameof(Databases))]
    public async Task Killed_at_each_stage_a_backup_is_whole_or_not_there_and_a_restore_is_gone_on_with(bool onPostgres)
    {
        var faults = new FaultFolder(_temp.At("faults"));
        var before = await SettingsAsync("before", onPostgres);
        Made made;
        await using (var server = await ServerProcess.StartAsync(StartOf(before)))
        {
            made = await FillAsync(server);
            Assert.Equal(0, await server.StopAsync());
        }

        var armed = new Dictionary<string, string?>(before) { [faults.Environment.Key] = faults.Environment.Value };
        foreach (var point in FaultFolder.Points("backup"))
        {
            faults.Arm(point);
            Assert.NotEqual(0, (await ServerWords.RunAsync(armed, "backup", _temp.At("backup"))).Code);
            Assert.False(faults.IsArmed(point));
            Assert.False(Directory.Exists(_temp.At("backup")));
        }

        Assert.Equal(0, (await ServerWords.RunAsync(armed, "backup", _temp.At("backup"))).Code);

        var after = new Dictionary<string, string?>(await SettingsAsync("after", onPostgres)) { [faults.Environment.Key] = faults.Environment.Value };
        var points = FaultFolder.Points("restore").Where(point => onPostgres ? point != "restore.database" : point != "restore.tables");
        foreach (var point in points.OrderBy(point => point == "restore.filled")) // the last that a restore comes to
        {
            faults.Arm(point);
            Assert.NotEqual(0, (await ServerWords.RunAsync(after, "restore", _temp.At("backup"))).Code);
            Assert.False(faults.IsArmed(point));
            await using var early = await ServerProcess.StartAsync(StartOf(after) with { WaitUntilReady = false });
            Assert.Equal(2, await early.WaitForExitAsync());
            Assert.Contains("half restored", early.Output, StringComparison.Ordinal);
        }

        var last = await ServerWords.RunAsync(after, "restore", _temp.At("backup"));
        Assert.True(last.Code == 0, last.Error);
        await using var whole = await ServerProcess.StartAsync(StartOf(after));
        await CheckAsync(whole, made);
    }

    [Fact]
    public async Task What_is_in_the_way_and_what_is_damaged_is_refused_and_nothing_is_touched()
    {
        var settings = await SettingsAsync("before", onPostgres: false);
        await using (var server = await ServerProcess.StartAsync(StartOf(settings)))
        {
            Assert.Equal(0, (await ServerWords.RunAsync(settings, "backup", _temp.At("backup"))).Code);

            var twice = await ServerWords.RunAsync(settings, "backup", _temp.At("backup"));
            Assert.Equal(1, twice.Code);
            Assert.Contains("is not empty", twice.Error, StringComparison.Ordinal);

            var running = await ServerWords.RunAsync(settings, "restore", _temp.At("backup"));
            Assert.Equal(2, running.Code);
            Assert.Contains("is in use by the server", running.Error, StringComparison.Ordinal);
            Assert.Equal(0, await server.StopAsync());
        }

        var full = await ServerWords.RunAsync(settings, "restore", _temp.At("backup"));
        Assert.Equal(2, full.Code);
        Assert.Contains("is not empty", full.Error, StringComparison.Ordinal);

        var none = await ServerWords.RunAsync(settings, "restore", _temp.At("nothing"));
        Assert.Equal(1, none.Code);
        Assert.Contains("is no backup", none.Error, StringComparison.Ordinal);

        var after = await SettingsAsync("after", onPostgres: false);
        var blob = Directory.GetFiles(_temp.At("backup", "blobs"), "*", SearchOption.AllDirectories)[0];
        await File.WriteAllTextAsync(blob, "something else", Cancel);
        var damaged = await ServerWords.RunAsync(after, "restore", _temp.At("backup"));
        Assert.Equal(1, damaged.Code);
        Assert.Contains("The backup is damaged", damaged.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_temp.At("after", "llmos.db")));

        Assert.Equal(2, (await ServerWords.RunAsync(settings, "backup")).Code);
        Assert.Equal(2, (await ServerWords.RunAsync(settings, "backup", "a", "--fast")).Code);
    }

    [Fact]
    public async Task A_blob_that_is_gone_is_named_and_everything_else_is_saved()
    {
        var settings = await SettingsAsync("before", onPostgres: false);
        string gone;
        await using (var server = await ServerProcess.StartAsync(StartOf(settings)))
        {
            using var client = server.Client();
            var version = Json.Parse(await client.GetStringAsync("/api/v1/models/starter/versions/1", Cancel));
            gone = version.GetProperty("files")[0].GetProperty("sha256").GetString()!;
            Assert.Equal(0, await server.StopAsync());
        }

        File.Delete(_temp.At("before", "blobs", gone[..2], gone));
        var saved = await ServerWords.RunAsync(settings, "backup", _temp.At("backup"), "--json");
        var after = await SettingsAsync("after", onPostgres: false);
        var restored = await ServerWords.RunAsync(after, "restore", _temp.At("backup"));

        Assert.Equal((1, gone), (saved.Code, Json.Parse(saved.Output).GetProperty("lacking")[0].GetString()));
        Assert.Equal(1, restored.Code);
        Assert.Contains(gone, restored.Output, StringComparison.Ordinal);
    }

    private async Task<Dictionary<string, string?>> SettingsAsync(string folder, bool onPostgres) => new()
    {
        ["LLMOS_DATA"] = _temp.At(folder),
        ["LLMOS_DATABASE"] = onPostgres ? await postgres.NewDatabaseAsync() : null,
    };

    private static ServerStart StartOf(Dictionary<string, string?> settings) => new() { Data = settings["LLMOS_DATA"], Environment = settings };

    private async Task<string> StoreIdAsync(string folder) => await File.ReadAllTextAsync(_temp.At(folder, "store.id"), Cancel);

    /// <summary>Something of each kind that a backup holds.</summary>
    private static async Task<Made> FillAsync(ServerProcess server)
    {
        using var client = server.Client();
        var key = await client.MakeKeyAsync("inference", "read");
        await client.PutAsync("/api/v1/models/starter/aliases/live", Json.Body(new { version = 1, reason = Reason }), Cancel);
        var upload = await client.PostAsync("/api/v1/uploads", Json.Body(new { filename = "f.bin", bytes = Content.Length }), Cancel);
        var id = Json.Parse(await upload.Content.ReadAsStringAsync(Cancel)).GetProperty("id").GetString()!;
        await PutAsync(client, id, 0, Content[..2_000]);
        return new Made(key.Key, id);
    }

    private static async Task CheckAsync(ServerProcess server, Made made)
    {
        using var client = server.Client(made.Key);
        var reply = await client.PostJsonAsync("/v1/completions", new { model = "starter@live", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        using var admin = server.Client();
        var history = Json.Parse(await admin.GetStringAsync("/api/v1/models/starter/aliases/live", Cancel));
        Assert.Equal(Reason, history.GetProperty("items")[0].GetProperty("reason").GetString());
        var whole = await PutAsync(admin, made.Upload, 2_000, Content[2_000..]);
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Content)), whole.GetProperty("sha256").GetString());

        // The server checks the restored files by itself, and collects only when that is done.
        var jobs = Json.Parse(await admin.GetStringAsync("/api/v1/jobs?kind=verify", Cancel)).GetProperty("items");
        var verified = await admin.WaitForJobAsync($"/api/v1/jobs/{Assert.Single(jobs.EnumerateArray()).GetProperty("id").GetString()}", Cancel);
        Assert.Equal("succeeded", verified.GetProperty("state").GetString());
        using var collected = await admin.PostAsync("/api/v1/artifacts/collect", null, Cancel);
        Assert.Equal(JsonValueKind.Null, Json.Parse(await collected.Content.ReadAsStringAsync(Cancel)).GetProperty("stopped").ValueKind);

        // What is made now gets numbers of its own.
        await admin.MakeKeyAsync("read");
    }

    private static async Task<JsonElement> PutAsync(HttpClient client, string upload, int from, byte[] piece)
    {
        using var content = new ByteArrayContent(piece);
        content.Headers.ContentRange = new ContentRangeHeaderValue(from, from + piece.Length - 1, Content.Length);
        using var answer = await client.PutAsync($"/api/v1/uploads/{upload}", content, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return Json.Parse(await answer.Content.ReadAsStringAsync(Cancel));
    }

    private sealed record Made(string Key, string Upload);
}
