using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>Data sets over HTTP: files become versions, and versions are read, downloaded, archived and deleted.</summary>
public sealed class DatasetTests(ServerProcess server, PostgresServer postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_PostgreSQL_a_file_becomes_a_version_as_on_SQLite()
    {
        await using var other = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = await postgres.NewDatabaseAsync() } });
        const string Csv = "text,label\n\"a, b\",x\nc,y\n";

        var (here, there) = (await StoryAsync(server, Csv), await StoryAsync(other, Csv));

        Assert.Equal(here, there);
    }

    [Fact]
    public async Task Equal_rows_have_an_equal_hash_whatever_file_they_came_from_and_numbers_go_on_after_a_deletion()
    {
        using var client = server.Client();
        var first = await ImportedAsync(client, "same-rows", "a.csv", "text\none\ntwo\n"u8.ToArray());
        var second = await ImportedAsync(client, "same-rows", "a.jsonl", "{\"text\":\"one\"}\n{\"text\":\"two\"}\n"u8.ToArray());
        var third = await ImportedAsync(client, "same-rows", "a.txt", "two\none\n"u8.ToArray());

        Assert.Equal(first.GetProperty("sha256").GetString(), second.GetProperty("sha256").GetString());
        Assert.NotEqual(first.GetProperty("sha256").GetString(), third.GetProperty("sha256").GetString());
        Assert.Equal([1, 2, 3], new[] { first, second, third }.Select(v => v.GetProperty("version").GetInt32()));

        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/v1/datasets/same-rows", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/v1/datasets/same-rows", Cancel)).StatusCode);
        Assert.Equal(4, (await ImportedAsync(client, "same-rows", "a.txt", "x\n"u8.ToArray())).GetProperty("version").GetInt32());
    }

    [Fact]
    public async Task An_archive_of_files_gives_splits_and_each_is_downloaded()
    {
        using var client = server.Client();
        using var zip = new MemoryStream();
        using (var archive = new ZipArchive(zip, ZipArchiveMode.Create, leaveOpen: true))
        {
            Write(archive, "set/train.csv", "text,n\na,1\nb,2\n");
            Write(archive, "set/test.csv", "text,n\n=c,3\n");
            Write(archive, "README.md", "# Not rows\n");
        }

        var result = await ImportedAsync(client, "splits", "set.zip", zip.ToArray());

        Assert.Equal((2, 1), (result.GetProperty("splits").GetProperty("train").GetInt32(), result.GetProperty("splits").GetProperty("test").GetInt32()));
        var test = await GetAsync(client, "/api/v1/datasets/splits/versions/1/rows?split=test");
        Assert.Equal("""[{"text":"=c","n":"3"}]""", test.GetProperty("items").ToString());
        Assert.Equal("text,n\r\n'=c,3\r\n", await client.GetStringAsync("/api/v1/datasets/splits/versions/1/download?format=csv&split=test", Cancel));
        Assert.Equal(3, (await client.GetStringAsync("/api/v1/datasets/splits/versions/1/download", Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        var parquet = await client.GetByteArrayAsync("/api/v1/datasets/splits/versions/1/download?format=parquet&split=train", Cancel);
        Assert.Equal("PAR1", Encoding.ASCII.GetString(parquet[..4]));
        var again = await ImportedAsync(client, "splits-again", "train.parquet", parquet);
        Assert.Equal(2, again.GetProperty("rows").GetInt32());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/api/v1/datasets/splits/versions/1/download?format=parquet", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/v1/datasets/splits/versions/1/rows?split=none", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("bad.jsonl", "{\"a\":1}\n{\"a\":\"\\ud800\"}\n", "corrupt_file", "row 2: 'a' holds half of a surrogate pair.")]
    [InlineData("bad.csv", "a,b\n1,2\n1\n", "corrupt_file", "row 2: has 1 cells")]
    [InlineData("bad.txt", "fine\nx\0\n", "corrupt_file", "row 2: holds the character U+0000.")]
    [InlineData("bad.parquet", "PAR1 but no parquet PAR1", "corrupt_file", "row 1: the Parquet file is damaged")]
    [InlineData("empty.csv", "a,b\n", "corrupt_file", "The source has no rows.")]
    [InlineData("bad.zip", "PK\u0003\u0004 but no zip", "corrupt_file", "")]
    public async Task A_bad_row_fails_the_job_with_its_number_and_nothing_is_listed(string file, string content, string code, string message)
    {
        using var client = server.Client();
        var name = $"bad-{Guid.NewGuid():n}";

        var job = await ImportAsync(client, name, file, Encoding.UTF8.GetBytes(content));

        Assert.True(job.GetProperty("state").GetString() == "failed", job.ToString());
        Assert.Equal(code, job.GetProperty("error").GetProperty("code").GetString());
        Assert.StartsWith(message, job.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/api/v1/datasets/{name}", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/datasets/Not%20a%20name/versions", """{"source":"file:/x.csv"}""", 400)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"file:/etc/passwd"}""", 403)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"ftp://x"}""", 400)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"upload:none"}""", 400)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"file:/x.csv","speed":1}""", 400)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"https://other.example/x.csv"}""", 403)]
    [InlineData("/api/v1/datasets/refused/versions", """{"source":"hf:nothing"}""", 400)]
    public async Task What_can_be_seen_to_be_wrong_is_refused_before_there_is_a_job(string path, string body, int status)
    {
        using var client = server.Client();

        using var answer = await client.PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"), Cancel);

        Assert.True((int)answer.StatusCode == status, $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(Cancel)}");
    }

    [Theory]
    [InlineData("limit=0")]
    [InlineData("limit=501")]
    [InlineData("limit=x")]
    [InlineData("after=-1")]
    [InlineData("after=x")]
    [InlineData("after=4")]
    public async Task A_bad_limit_or_place_is_a_400(string query)
    {
        using var client = server.Client();
        var name = $"pages-{Guid.NewGuid():n}";
        await ImportedAsync(client, name, "a.txt", "1\n2\n3\n"u8.ToArray());

        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync($"/api/v1/datasets/{name}/versions/1/rows?{query}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task What_a_version_refers_to_is_never_collected_and_goes_with_it()
    {
        await using var own = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["Collector__GraceMinutes"] = "0", ["Collector__UploadDays"] = "1" } });
        using var client = own.Client();
        await ImportedAsync(client, "kept", "a.txt", "one\ntwo\n"u8.ToArray());
        var sha256 = (await GetAsync(client, "/api/v1/datasets/kept/versions/1")).GetProperty("files")[0].GetProperty("sha256").GetString()!;

        await CollectAsync(client);
        Assert.Equal(2, (await GetAsync(client, "/api/v1/datasets/kept/versions/1/rows")).GetProperty("items").GetArrayLength());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/api/v1/artifacts/{sha256}", Cancel)).StatusCode);

        await client.DeleteAsync("/api/v1/datasets/kept/versions/1", Cancel);
        await CollectAsync(client);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/api/v1/artifacts/{sha256}", Cancel)).StatusCode);
    }

    [Fact]
    public async Task An_archived_data_set_is_left_out_of_lists_and_gets_no_version()
    {
        using var client = server.Client();
        await ImportedAsync(client, "put-away", "a.txt", "one\n"u8.ToArray());

        using var patched = await client.PatchAsync("/api/v1/datasets/put-away", Json.Body(new { archived = true }), Cancel);
        Assert.Equal(HttpStatusCode.OK, patched.StatusCode);

        Assert.DoesNotContain("put-away", (await GetAsync(client, "/api/v1/datasets?limit=500")).ToString(), StringComparison.Ordinal);
        Assert.Contains("put-away", (await GetAsync(client, "/api/v1/datasets?archived=true")).ToString(), StringComparison.Ordinal);
        using var form = Form("a.txt", "two\n"u8.ToArray());
        Assert.Equal(HttpStatusCode.Conflict, (await client.PostAsync("/api/v1/datasets/put-away/versions", form, Cancel)).StatusCode);
    }

    [Fact]
    public async Task Shared_sets_are_read_as_their_publishers_count_them()
    {
        using var client = server.Client();
        (string Path, string Field, object Value, int Rows)[] sets =
        [
            ("banking77/train.csv", "license", "CC-BY-4.0", 10_003),
            ("tinyshakespeare/input.txt", "license", "public domain", 32_777),
            ("pii-synthetic/synth_even_rows.json", "license", "MIT", 0),
            ("human-eval/HumanEval.jsonl.gz", "license", "MIT", 164),
        ];
        foreach (var (path, field, value, rows) in sets)
        {
            var name = path.Split('/')[0];
            using var form = Form(Path.GetFileName(path), await File.ReadAllBytesAsync(SharedFolder.Require(["data", .. path.Split('/')]), Cancel));
            form.Add(new StringContent($"{value}"), field);
            var result = await ResultAsync(client, name, form);
            Assert.True(rows == 0 || result.GetProperty("rows").GetInt32() == rows, $"{name}: {result}");
            Assert.Equal($"{value}", (await GetAsync(client, $"/api/v1/datasets/{name}/versions/1")).GetProperty("license").GetString());
        }

        var statistics = await GetAsync(client, "/api/v1/datasets/banking77/versions/1/statistics");
        var category = statistics.GetProperty("columns").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "category");
        Assert.Equal((0, 77), (category.GetProperty("nulls").GetInt32(), category.GetProperty("distinct").GetInt32()));
    }

    private static async Task<string> StoryAsync(ServerProcess server, string csv)
    {
        using var client = server.Client();
        var folder = Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "story.csv"), csv, Cancel);
        using var answer = await client.PostAsync("/api/v1/datasets/story/versions", Json.Body(new { source = $"file:{folder}/story.csv", license = "MIT" }), Cancel);
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        Assert.Equal("story:1", job.GetProperty("result").GetProperty("ref").GetString());

        var version = await GetAsync(client, "/api/v1/datasets/story/versions/1");
        Assert.Equal(("story", 1, 2, "MIT"), (version.GetProperty("dataset").GetString(), version.GetProperty("version").GetInt32(), version.GetProperty("rows").GetInt32(), version.GetProperty("license").GetString()));
        Assert.Equal("""[{"name":"text","type":"text"},{"name":"label","type":"text"}]""", version.GetProperty("columns").GetRawText().Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(job.GetProperty("id").GetString(), version.GetProperty("lineage").GetProperty("job").GetString());
        var page = await GetAsync(client, "/api/v1/datasets/story/versions/1/rows?limit=1");
        Assert.Equal(("a, b", "1"), (page.GetProperty("items")[0].GetProperty("text").GetString(), page.GetProperty("next").GetString()));
        var rest = await GetAsync(client, "/api/v1/datasets/story/versions/1/rows?limit=1&after=1");
        Assert.Equal(("c", JsonValueKind.Null), (rest.GetProperty("items")[0].GetProperty("text").GetString(), rest.GetProperty("next").ValueKind));
        Assert.Equal("story", (await GetAsync(client, "/api/v1/datasets?limit=500")).GetProperty("items").EnumerateArray().Single(d => d.GetProperty("name").GetString() == "story").GetProperty("name").GetString());
        return version.GetProperty("sha256").GetString()!;
    }

    private static void Write(ZipArchive archive, string name, string text)
    {
        using var entry = new StreamWriter(archive.CreateEntry(name).Open());
        entry.Write(text);
    }

    private static MultipartFormDataContent Form(string file, byte[] content) => new() { { new ByteArrayContent(content), "file", file } };

    private static async Task<JsonElement> ImportAsync(HttpClient client, string name, string file, byte[] content)
    {
        using var form = Form(file, content);
        using var answer = await client.PostAsync($"/api/v1/datasets/{name}/versions", form, Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        return await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
    }

    private static async Task<JsonElement> ImportedAsync(HttpClient client, string name, string file, byte[] content)
    {
        using var form = Form(file, content);
        return await ResultAsync(client, name, form);
    }

    private static async Task<JsonElement> ResultAsync(HttpClient client, string name, MultipartFormDataContent form)
    {
        using var answer = await client.PostAsync($"/api/v1/datasets/{name}/versions", form, Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        return job.GetProperty("result");
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => Json.Parse(await client.GetStringAsync(path, Cancel));

    private static async Task CollectAsync(HttpClient client)
    {
        using var answer = await client.PostAsync("/api/v1/artifacts/collect?purge=true", null, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
