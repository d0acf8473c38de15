using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>Rows for training over HTTP: the shape with its faults, and the recipe that converts what fits.</summary>
public sealed class ShapeTests(ServerProcess server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_shape_names_a_hundred_faults_and_counts_all_and_the_recipe_converts_the_rest()
    {
        using var client = server.Client();
        var rows = Enumerable.Range(1, 300).Select(i => JsonSerializer.Serialize(new { instruction = $"Say {i}.", input = "", output = i % 2 == 0 ? "" : $"{i}" }));
        await ImportAsync(client, "instructions", string.Join('\n', rows), "jsonl");

        var shape = await GetAsync(client, "/api/v1/datasets/instructions/versions/1/shape");

        Assert.Equal(("instructions:1", "alpaca", "sft"), (shape.GetProperty("ref").GetString(), shape.GetProperty("shape").GetString(), Assert.Single(shape.GetProperty("kinds").EnumerateArray()).GetString()));
        Assert.Equal((300, 300, 150), (shape.GetProperty("rows").GetInt32(), shape.GetProperty("rows_checked").GetInt32(), shape.GetProperty("fault_count").GetInt32()));
        var faults = shape.GetProperty("faults").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(1, 100).Select(i => 2 * i), faults.Select(f => f.GetProperty("row").GetInt32()));
        Assert.All(faults, f => Assert.Equal(("output", "empty", "is empty."), (f.GetProperty("field").GetString(), f.GetProperty("code").GetString(), f.GetProperty("message").GetString())));
        Assert.Equal(5, (await GetAsync(client, "/api/v1/datasets/instructions/versions/1/shape?rows=10")).GetProperty("fault_count").GetInt32());
        Assert.Equal(HttpStatusCode.BadRequest, (await client.GetAsync("/api/v1/datasets/instructions/versions/1/shape?rows=0", Cancel)).StatusCode);

        var request = new { dataset = "instructions:1", name = "instructions-sft", steps = new object[] { new { step = "rows", to = "sft" } } };
        var preview = await client.PostJsonAsync("/api/v1/preparations", new { request.dataset, request.name, request.steps, preview = 2 });
        const string First = """{"messages":[{"role":"user","content":"Say 1."},{"role":"assistant","content":"1"}]}""";
        Assert.Equal(First, JsonSerializer.Serialize(Assert.Single(preview.GetProperty("items").EnumerateArray())));

        using var answer = await client.PostAsync("/api/v1/preparations", Json.Body(request), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        Assert.Equal((150, 150), (job.GetProperty("result").GetProperty("rows_out").GetInt32(), job.GetProperty("result").GetProperty("steps")[0].GetProperty("reasons").GetProperty("empty").GetInt32()));
        var version = await GetAsync(client, "/api/v1/datasets/instructions-sft/versions/1");
        Assert.Equal("""[{"name":"messages","type":"json"}]""", JsonSerializer.Serialize(version.GetProperty("columns")));
        Assert.Equal("""{"step":"rows","to":"sft"}""", JsonSerializer.Serialize(version.GetProperty("lineage").GetProperty("steps")[0]));
        Assert.Equal(First, JsonSerializer.Serialize((await GetAsync(client, "/api/v1/datasets/instructions-sft/versions/1/rows?limit=1")).GetProperty("items")[0]));
        var after = await GetAsync(client, "/api/v1/datasets/instructions-sft/versions/1/shape");
        Assert.Equal(("chat", 0), (after.GetProperty("shape").GetString(), after.GetProperty("fault_count").GetInt32()));
    }

    [Fact]
    public async Task A_file_of_conll_becomes_rows_for_tagging_and_other_columns_have_no_shape()
    {
        using var client = server.Client();
        await ImportAsync(client, "tags", "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\n", "conll");
        await ImportAsync(client, "shapeless", "question,n\nx,1\n", "csv");

        var tags = await GetAsync(client, "/api/v1/datasets/tags/versions/1/shape");
        var none = await GetAsync(client, "/api/v1/datasets/shapeless/versions/1/shape");

        Assert.Equal(("token_labels", "tag", 2, 0), (tags.GetProperty("shape").GetString(), tags.GetProperty("kinds")[0].GetString(), tags.GetProperty("rows").GetInt32(), tags.GetProperty("fault_count").GetInt32()));
        Assert.Equal((JsonValueKind.Null, 0), (none.GetProperty("shape").ValueKind, none.GetProperty("kinds").GetArrayLength()));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("/api/v1/datasets/tags/versions/2/shape", Cancel)).StatusCode);
    }

    private static async Task<JsonElement> GetAsync(HttpClient client, string path) => Json.Parse(await client.GetStringAsync(path, Cancel));

    private async Task ImportAsync(HttpClient client, string name, string content, string ending)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, $"{name}.{ending}");
        await File.WriteAllTextAsync(path, content, Cancel);
        using var answer = await client.PostAsync($"/api/v1/datasets/{name}/versions", Json.Body(new { source = $"file:{path}" }), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
    }
}
