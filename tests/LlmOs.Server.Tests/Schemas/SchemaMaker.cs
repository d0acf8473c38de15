using System.Diagnostics;
using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LlmOs.Server.Tests.Schemas;

/// <summary>Writes a filled database of the present schema for both providers; run by tools/save-schema.sh before a release (docs/upgrading.md).</summary>
public sealed class SchemaMaker(PostgresServer postgres)
{
    /// <summary>Names the folder that is written; without, there is nothing to do.</summary>
    public const string NameVariable = "LLMOS_SAVE_SCHEMA";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Folder => Directory.CreateDirectory(SavedSchema.FolderOf(
        Environment.GetEnvironmentVariable(NameVariable) ?? throw new InvalidOperationException($"{NameVariable} names the folder to write."))).FullName;

    [Fact(Explicit = true)]
    public async Task Sqlite()
    {
        await using var server = await ServerProcess.StartAsync(new ServerStart());
        await FillAsync(server);
        Assert.Equal(0, await server.StopAsync());

        var target = Path.Combine(Folder, SavedSchema.SqliteFile);
        File.Delete(target);
        await using var connection = new SqliteConnection($"Data Source={Path.Combine(server.Data, "llmos.db")};Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = "vacuum into $target";
        command.Parameters.AddWithValue("$target", target);
        await command.ExecuteNonQueryAsync(Cancel);
    }

    [Fact(Explicit = true)]
    public async Task Postgres()
    {
        var database = await postgres.NewDatabaseAsync();
        await using (var server = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = database } }))
        {
            await FillAsync(server);
            Assert.Equal(0, await server.StopAsync());
        }

        var to = new NpgsqlConnectionStringBuilder(database);
        string[] arguments = ["--inserts", "--no-owner", "--no-privileges", "-h", to.Host!, "-p", $"{to.Port}", "-U", to.Username!, "-d", to.Database!];
        using var dump = Process.Start(new ProcessStartInfo("pg_dump", arguments) { RedirectStandardOutput = true })!;
        var lines = (await dump.StandardOutput.ReadToEndAsync(Cancel)).Split('\n');
        await dump.WaitForExitAsync(Cancel);
        Assert.Equal(0, dump.ExitCode);

        // Lines with a backslash are commands of psql; a setting of a newer version stops an older server.
        await File.WriteAllLinesAsync(
            Path.Combine(Folder, SavedSchema.PostgresFile),
            lines.Where(line => line.Length > 0 && !line.StartsWith('\\') && !line.StartsWith("--", StringComparison.Ordinal) && !line.StartsWith("SET ", StringComparison.Ordinal)),
            Cancel);
    }

    /// <summary>A row in every table, by the API alone, with nothing left that waits or runs.</summary>
    private static async Task FillAsync(ServerProcess server)
    {
        using var client = server.Client();
        await SendAsync(client, "POST", "/api/v1/users", new { name = "ada", password = "correct horse battery", scopes = new[] { "inference", "read" } });
        await SendAsync(client, "POST", "/api/v1/users", new { name = "grace", password = "another horse battery", scopes = new[] { "admin" } });
        await SendAsync(client, "PATCH", "/api/v1/users/grace", new { disabled = true });
        await SendAsync(client, "POST", "/api/v1/keys", new { name = "Ωmega's laptop", scopes = new[] { "inference" } });
        var revoked = await SendAsync(client, "POST", "/api/v1/keys", new { name = "revoked", scopes = new[] { "read" } });
        await SendAsync(client, "DELETE", $"/api/v1/keys/{revoked.GetProperty("id").GetString()}", null);
        await SendAsync(client, "POST", "/api/v1/uploads", new { filename = "model.llmos", bytes = 1_048_576 });

        await SendFormAsync(client, "/v1/files", "file", new() { ["purpose"] = "fine-tune" });
        var parted = await SendAsync(client, "POST", "/v1/uploads", new { filename = "rows.jsonl", purpose = "evals", bytes = 100 });
        await SendFormAsync(client, $"/v1/uploads/{parted.GetProperty("id").GetString()}/parts", "data", []);

        var folder = Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName;
        var text = Path.Combine(folder, "cats.txt");
        await File.WriteAllTextAsync(text, string.Concat(Enumerable.Range(0, 2_000).Select(i => $"The cat number {i % 97} sat down.\n")), Cancel);
        var source = $"file:{text}";
        await JobAsync(client, "/api/v1/tokenizers/train", new { name = "learnt/pieces", text = source, train = "unigram", vocabulary = 120 });
        var training = await SendAsync(client, "POST", "/api/v1/training", new
        {
            name = "cats",
            text = source,
            tokenizer = "learnt/pieces",
            architecture = new { type = "llama", layers = 1, hidden = 32, heads = 2, context = 32 },
            budget = new { steps = 5 },
            threads = 1,
        });
        var first = training.GetProperty("job").GetProperty("id").GetString();
        await JobAsync(client, "/api/v1/jobs", new { kind = "tokenizer", spec = new { name = "after", text = source, train = "bpe", vocabulary = 300 }, after = new[] { first } });
        await JobAsync(client, "/api/v1/evaluations", new { kind = "multiple_choice", model = "starter", rows = new[] { new { context = "Once upon a", choices = new[] { "time", "spoon" }, answer = 0 } } });
        await JobAsync(client, "/api/v1/evaluations", new { kind = "perplexity", model = "cats", text = source, window = 32, max_tokens = 256 });
        await JobAsync(client, "/api/v1/jobs", new { kind = "tokenizer", spec = new { name = "small", text = source, train = "wordpiece", vocabulary = 10 } }, "failed");

        await JobAsync(client, "/api/v1/datasets/cats/versions", new { source, license = "CC0-1.0" });
        await SendAsync(client, "PATCH", "/api/v1/models/starter", new { tags = new { team = "search" } });
        await SendAsync(client, "PATCH", "/api/v1/models/starter/versions/1", new { tags = new { stage = "candidate" } });
        await SendAsync(client, "POST", "/api/v1/models/starter/versions/1/copy", new { name = "starter-copy" });
        await SendAsync(client, "PUT", "/api/v1/models/starter/aliases/live", new { version = 1, reason = "good enough" });
        await SendAsync(client, "POST", "/api/v1/models", new { name = "empty", card = "# Empty\n\n漢字 👩‍🚀\n" });
        await SendAsync(client, "POST", "/api/v1/apps", new { template = "story-writer", slug = "tales", model = "starter", settings = new { temperature = 0 } });
    }

    private static async Task SendFormAsync(HttpClient client, string path, string name, Dictionary<string, string> fields)
    {
        using var form = new MultipartFormDataContent { { new StringContent("{}"), name, "rows.jsonl" } };
        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        using var answer = await client.PostAsync(path, form, Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode}");
    }

    private static async Task JobAsync(HttpClient client, string path, object body, string end = "succeeded")
    {
        var answer = await SendAsync(client, "POST", path, body);
        var id = (answer.TryGetProperty("job", out var job) ? job : answer).GetProperty("id").GetString()!;
        var ended = await client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
        Assert.True(ended.GetProperty("state").GetString() == end, ended.ToString());
    }

    private static async Task<JsonElement> SendAsync(HttpClient client, string method, string path, object? body)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = body is null ? null : Json.Body(body) };
        using var answer = await client.SendAsync(request, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
        return answer.StatusCode == HttpStatusCode.NoContent || text.Length == 0 ? default : Json.Parse(text);
    }
}
