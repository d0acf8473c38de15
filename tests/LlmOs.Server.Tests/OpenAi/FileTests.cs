using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LlmOs.Server.Tests.Http;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary><c>/v1/files</c> and <c>/v1/uploads</c>.</summary>
public class FileTests(ModelServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_given_listed_read_and_deleted()
    {
        using var client = await server.ReadyAsync();

        var file = await AddAsync(client, "{\"a\":1}\n", "fine-tune", "rows.jsonl");
        var id = file.GetProperty("id").GetString();

        Assert.Equal(("file", "rows.jsonl", "fine-tune", 8, "processed"), (Text(file, "object"), Text(file, "filename"), Text(file, "purpose"), file.GetProperty("bytes").GetInt64(), Text(file, "status")));
        Assert.False(file.TryGetProperty("expires_at", out _));
        Assert.Equal(file.GetRawText(), (await GetAsync(client, $"/v1/files/{id}")).GetRawText());
        using var content = await client.GetAsync($"/v1/files/{id}/content", Cancel);
        Assert.Equal("{\"a\":1}\n", await content.Content.ReadAsStringAsync(Cancel));
        Assert.Equal("rows.jsonl", content.Content.Headers.ContentDisposition?.FileName);
        Assert.Contains(id, Ids(await GetAsync(client, "/v1/files?purpose=fine-tune")));
        Assert.DoesNotContain(id, Ids(await GetAsync(client, "/v1/files?purpose=evals")));

        using var deleted = await client.DeleteAsync($"/v1/files/{id}", Cancel);
        Assert.True(Json.Parse(await deleted.Content.ReadAsStringAsync(Cancel)).GetProperty("deleted").GetBoolean());
        foreach (var gone in new[] { $"/v1/files/{id}", $"/v1/files/{id}/content" })
        {
            Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(gone, Cancel)).StatusCode);
        }
    }

    [Fact]
    public async Task Pages_go_on_where_the_last_one_ended_in_both_orders()
    {
        using var admin = await server.ReadyAsync();
        var (_, key) = await admin.MakeKeyAsync("inference");
        using var client = server.Client(key);
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(Text(await AddAsync(client, $"{i}", "evals"), "id"));
        }

        foreach (var (order, expected) in new[] { ("asc", ids), ("desc", Enumerable.Reverse(ids).ToList()) })
        {
            var first = await GetAsync(client, $"/v1/files?limit=3&order={order}");
            var second = await GetAsync(client, $"/v1/files?limit=3&order={order}&after={Text(first, "last_id")}");

            Assert.Equal((true, false), (first.GetProperty("has_more").GetBoolean(), second.GetProperty("has_more").GetBoolean()));
            Assert.Equal(expected[0], Text(first, "first_id"));
            Assert.Equal(expected, [.. Ids(first), .. Ids(second)]);
        }
    }

    [Fact]
    public async Task A_file_is_seen_by_its_giver_and_by_admins()
    {
        using var admin = await server.ReadyAsync();
        var (_, mine) = await admin.MakeKeyAsync("inference");
        var (_, other) = await admin.MakeKeyAsync("inference");
        using var me = server.Client(mine);
        using var someone = server.Client(other);

        var id = Text(await AddAsync(me, "secret", "user_data"), "id");

        Assert.Equal(HttpStatusCode.NotFound, (await someone.GetAsync($"/v1/files/{id}/content", Cancel)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await someone.DeleteAsync($"/v1/files/{id}", Cancel)).StatusCode);
        Assert.Empty(Ids(await GetAsync(someone, "/v1/files")));
        Assert.Equal("secret", await admin.GetStringAsync($"/v1/files/{id}/content", Cancel));
    }

    [Theory]
    [InlineData("purpose", "", "purpose")]
    [InlineData("purpose", "everything", "purpose")]
    [InlineData("expires_after[seconds]", "3599", "expires_after[seconds]")]
    [InlineData("expires_after[seconds]", "soon", "expires_after[seconds]")]
    [InlineData("expires_after[anchor]", "deleted_at", "expires_after[anchor]")]
    public async Task A_field_that_cannot_be_meant_is_refused_by_name(string field, string value, string named)
    {
        using var client = await server.ReadyAsync();
        var fields = new Dictionary<string, string> { ["purpose"] = "batch", ["expires_after[anchor]"] = "created_at", ["expires_after[seconds]"] = "3600", [field] = value };
        using var form = Form("x", "x.jsonl", fields);

        using var answer = await client.PostAsync("/v1/files", form, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(named, Text(Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("error"), "param"));
    }

    [Theory]
    [InlineData("multipart/form-data", "")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc")]
    [InlineData("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x--\r\n")]
    [InlineData("multipart/form-data; boundary=x", "")]
    public async Task A_body_that_is_no_form_with_a_file_is_a_400(string type, string body)
    {
        using var client = await server.ReadyAsync();
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", type);

        using var answer = await client.PostAsync("/v1/files", content, Cancel);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal("file", Text(Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("error"), "param"));
    }

    [Fact]
    public async Task Files_for_batches_are_kept_for_30_days_and_others_as_long_as_they_say()
    {
        using var client = await server.ReadyAsync();

        var batch = await AddAsync(client, "{}", "batch");
        var hour = await AddAsync(client, "{}", "evals", more: new() { ["expires_after[anchor]"] = "created_at", ["expires_after[seconds]"] = "3600" });

        Assert.Equal(30 * 86_400, Life(batch));
        Assert.Equal(3_600, Life(hour));

        static long Life(JsonElement file) => file.GetProperty("expires_at").GetInt64() - file.GetProperty("created_at").GetInt64();
    }

    [Fact]
    public async Task Parts_that_were_sent_in_any_order_become_the_file_in_the_order_that_is_stated()
    {
        using var client = await server.ReadyAsync();
        var content = RandomNumberGenerator.GetBytes(300_000);
        var upload = await client.PostJsonAsync("/v1/uploads", new { filename = "train.jsonl", purpose = "fine-tune", bytes = content.Length, mime_type = "text/jsonl" });
        var id = Text(upload, "id");
        Assert.Equal(("upload", "pending"), (Text(upload, "object"), Text(upload, "status")));

        // The last third first, the second third twice, as a sender does that heard nothing of the first try.
        var third = content.Length / 3;
        var parts = await Task.WhenAll(new[] { 2, 1, 1, 0 }.Select(i => PartAsync(client, id, content[(i * third)..((i + 1) * third)])));
        var order = new[] { parts[3], parts[2], parts[0] };
        await RefusedAsync(client, $"/v1/uploads/{id}/complete", new { part_ids = order, md5 = new string('0', 32) }, "md5");
        await RefusedAsync(client, $"/v1/uploads/{id}/complete", new { part_ids = order[..2] }, "part_ids");
        await RefusedAsync(client, $"/v1/uploads/{id}/complete", new { part_ids = new[] { order[0], order[1], "part_0" } }, "part_ids[2]");
        var done = await client.PostJsonAsync($"/v1/uploads/{id}/complete", new { part_ids = order, md5 = Convert.ToHexStringLower(CryptographicOperations.HashData(HashAlgorithmName.MD5, content)) });

        var file = done.GetProperty("file");
        Assert.Equal(("completed", "train.jsonl"), (Text(done, "status"), Text(file, "filename")));
        Assert.Equal(content, await client.GetByteArrayAsync($"/v1/files/{Text(file, "id")}/content", Cancel));
        var again = await client.PostJsonAsync($"/v1/uploads/{id}/complete", new { part_ids = order });
        Assert.Equal(Text(file, "id"), Text(again.GetProperty("file"), "id"));
    }

    [Fact]
    public async Task An_upload_that_is_completed_by_several_at_once_gives_all_the_same_file()
    {
        using var client = await server.ReadyAsync();
        var id = Text(await client.PostJsonAsync("/v1/uploads", new { filename = "../../a.txt", purpose = "batch", bytes = 3, mime_type = "x/y" }), "id");
        var part = await PartAsync(client, id, [1, 2, 3]);

        var ends = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => client.PostJsonAsync($"/v1/uploads/{id}/complete", new { part_ids = new[] { part } })));

        Assert.Single(ends.Select(end => Text(end.GetProperty("file"), "id")).Distinct());
        Assert.Equal("a.txt", Text(ends[0].GetProperty("file"), "filename"));
        await RefusedAsync(client, "/v1/uploads", new { filename = "..", purpose = "batch", bytes = 3, mime_type = "x/y" }, "filename");
    }

    [Fact]
    public async Task An_upload_that_was_given_up_takes_nothing_more_and_is_nobody_elses()
    {
        using var admin = await server.ReadyAsync();
        var (_, mine) = await admin.MakeKeyAsync("inference");
        var (_, other) = await admin.MakeKeyAsync("inference");
        using var client = server.Client(mine);
        using var someone = server.Client(other);
        var id = Text(await client.PostJsonAsync("/v1/uploads", new { filename = "a", purpose = "batch", bytes = 3, mime_type = "x/y" }), "id");
        var part = await PartAsync(client, id, [1, 2, 3]);
        Assert.Equal(HttpStatusCode.NotFound, (await someone.PostAsync($"/v1/uploads/{id}/cancel", null, Cancel)).StatusCode);

        Assert.Equal("cancelled", Text(await client.PostJsonAsync($"/v1/uploads/{id}/cancel", new { }), "status"));

        await RefusedAsync(client, $"/v1/uploads/{id}/complete", new { part_ids = new[] { part } }, null);
        using var form = Form("abc", "part", [], "data");
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync($"/v1/uploads/{id}/parts", form, Cancel)).StatusCode);
    }

    private static async Task<JsonElement> AddAsync(HttpClient client, string content, string purpose, string name = "a.jsonl", Dictionary<string, string>? more = null)
    {
        using var form = Form(content, name, new(more ?? []) { ["purpose"] = purpose });
        using var answer = await client.PostAsync("/v1/files", form, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return Json.Parse(text);
    }

    private static async Task<string> PartAsync(HttpClient client, string upload, byte[] bytes)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(bytes), "data", "blob" } };
        using var answer = await client.PostAsync($"/v1/uploads/{upload}/parts", form, Cancel);
        var part = Json.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(("upload.part", upload), (Text(part, "object"), Text(part, "upload_id")));
        return Text(part, "id");
    }

    private static async Task RefusedAsync(HttpClient client, string path, object body, string? param)
    {
        using var answer = await client.PostAsync(path, Json.Body(body), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Equal(param, Json.Parse(await answer.Content.ReadAsStringAsync(Cancel)).GetProperty("error").GetProperty("param").GetString());
    }

    private static MultipartFormDataContent Form(string content, string name, Dictionary<string, string> fields, string part = "file")
    {
        var form = new MultipartFormDataContent();
        foreach (var (field, value) in fields)
        {
            form.Add(new StringContent(value), field);
        }

        form.Add(new ByteArrayContent(Encoding.UTF8.GetBytes(content)), part, name);
        return form;
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => Json.Parse(await client.GetStringAsync(path, Cancel));

    private static string Text(JsonElement json, string name) => json.GetProperty(name).GetString()!;

    private static IEnumerable<string> Ids(JsonElement list) => list.GetProperty("data").EnumerateArray().Select(file => Text(file, "id"));
}
