using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>Preparations over HTTP: a preview, a job, and the same bytes again.</summary>
public sealed class PreparationTests(ServerProcess server, PostgresServer postgres)
{
    private static readonly object[] Recipe =
    [
        new { step = "normalize" },
        new { step = "exact_duplicates" },
        new { step = "near_duplicates", threshold = 0.9 },
        new { step = "length", min = 10 },
        new { step = "split", train = 0.9, test = 0.1 },
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_preview_answers_at_once_and_stores_nothing()
    {
        using var client = server.Client();
        await ImportAsync(client, server, "previewed", "text\nHello  there\nHello  there\n");

        var view = await client.PostJsonAsync("/api/v1/preparations", new { dataset = "previewed:1", steps = new object[] { new { step = "normalize" }, new { step = "exact_duplicates" } }, preview = 10 });

        Assert.Equal((2, 1), (view.GetProperty("rows_in").GetInt32(), view.GetProperty("rows_out").GetInt32()));
        Assert.Equal("""[{"text":"Hello there"}]""", view.GetProperty("items").GetRawText().Replace("\n", "", StringComparison.Ordinal));
        var normalize = view.GetProperty("steps")[0];
        Assert.Equal(("normalize", 2, 2, 2, 0), (normalize.GetProperty("step").GetString(), normalize.GetProperty("rows_in").GetInt32(), normalize.GetProperty("rows_out").GetInt32(), normalize.GetProperty("changed").GetInt32(), normalize.GetProperty("dropped").GetInt32()));
        Assert.Equal(("Hello  there", "Hello there", 1), (normalize.GetProperty("examples")[0].GetProperty("before").GetString(), normalize.GetProperty("examples")[0].GetProperty("after").GetString(), normalize.GetProperty("examples")[0].GetProperty("row").GetInt32()));
        Assert.Equal(1, Json.Parse(await client.GetStringAsync("/api/v1/datasets/previewed/versions", Cancel)).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task The_same_recipe_gives_the_same_bytes_on_both_databases()
    {
        await using var other = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = await postgres.NewDatabaseAsync() } });
        var files = new HashSet<string>();
        foreach (var one in new[] { server, other })
        {
            using var client = one.Client();
            await ImportAsync(client, one, "shakespeare", await File.ReadAllTextAsync(SharedFolder.Require("data", "tinyshakespeare", "input.txt"), Cancel), "txt");
            for (var round = 1; round <= 2; round++)
            {
                var job = await PrepareAsync(client, new { dataset = "shakespeare:1", name = "shakespeare-clean", steps = Recipe });
                var result = job.GetProperty("result");
                Assert.Equal($"shakespeare-clean:{round}", result.GetProperty("ref").GetString());
                Assert.Equal(result.GetProperty("rows_out").GetInt32(), result.GetProperty("splits").EnumerateObject().Sum(s => s.Value.GetInt32()));
                Assert.True(result.GetProperty("rows_out").GetInt32() < result.GetProperty("rows_in").GetInt32());
                var version = Json.Parse(await client.GetStringAsync($"/api/v1/datasets/shakespeare-clean/versions/{round}", Cancel));
                Assert.Equal("shakespeare:1", version.GetProperty("lineage").GetProperty("parent").GetString());
                Assert.Equal("near_duplicates", version.GetProperty("lineage").GetProperty("steps")[2].GetProperty("step").GetString());
                files.Add(version.GetProperty("sha256").GetString() + string.Concat(version.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("sha256").GetString())));
            }

            Assert.Equal(HttpStatusCode.Conflict, (await client.DeleteAsync("/api/v1/datasets/shakespeare/versions/1", Cancel)).StatusCode);
        }

        Assert.Single(files);
    }

    [Fact]
    public async Task A_data_set_trains_a_model_whose_lineage_names_it()
    {
        using var client = server.Client();
        await ImportAsync(client, server, "corpus", "body\n" + string.Concat(Enumerable.Range(0, 400).Select(i => $"The cat number {i % 97} sat down and looked at the dog.\n")));
        object Request(string? column) => new
        {
            name = "of-rows",
            dataset = "corpus",
            column,
            tokenizer = new { train = "bpe", vocabulary = 300 },
            architecture = new { type = "llama", layers = 1, hidden = 32, heads = 2, context = 32 },
            budget = new { steps = 3 },
            threads = 1,
        };
        using var refused = await client.PostAsync("/api/v1/training", Json.Body(Request(null)), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("body (text)", await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);

        using var answer = await client.PostAsync("/api/v1/training", Json.Body(Request("body")), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);

        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        var version = Json.Parse(await client.GetStringAsync("/api/v1/models/of-rows/versions/1", Cancel));
        Assert.Equal("corpus:1", version.GetProperty("lineage").GetProperty("datasets")[0].GetString());
        Assert.Equal(HttpStatusCode.Conflict, (await client.DeleteAsync("/api/v1/datasets/corpus", Cancel)).StatusCode);
    }

    [Theory]
    [InlineData("""{"dataset":"none:1","steps":[{"step":"normalize"}]}""", 404)]
    [InlineData("""{"dataset":"none:1","steps":[]}""", 400)]
    [InlineData("""{"dataset":"No Name","steps":[{"step":"normalize"}]}""", 400)]
    [InlineData("""{"dataset":"none:1","steps":[{"step":"normalize"}],"speed":1}""", 400)]
    public async Task What_is_wrong_is_refused_before_there_is_a_job(string body, int status)
    {
        using var client = server.Client();

        using var answer = await client.PostAsync("/api/v1/preparations", Json.Raw(body), Cancel);

        Assert.True((int)answer.StatusCode == status, await answer.Content.ReadAsStringAsync(Cancel));
    }

    [Fact]
    public async Task Killed_at_each_stage_a_preparation_goes_on_and_gives_the_same_bytes()
    {
        using var temp = new TempFolder();
        var faults = new FaultFolder(temp.At("faults"));
        var start = new ServerStart { Data = temp.At("data"), Environment = new Dictionary<string, string?>([faults.Environment]) { ["LLMOS_ROLES"] = "api,inference" } };
        var killed = await ServerProcess.StartAsync(start);
        try
        {
            using (var client = killed.Client())
            {
                await ImportAsync(client, killed, "rows", string.Concat(Enumerable.Range(0, 5_000).Select(i => $"Row number {i} tells of {i * 7} things.\n")), "txt");
            }

            HashSet<string> files = [];
            foreach (var point in FaultFolder.Points("preparation"))
            {
                faults.Arm(point);
                using (var doomed = killed.Client())
                {
                    try
                    {
                        using var answer = await doomed.PostAsync("/api/v1/preparations", Json.Body(new { dataset = "rows", name = "prepared", steps = Recipe }), Cancel);
                        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                    }
                    catch (HttpRequestException)
                    {
                        // It may be so quick that the answer is lost with the server.
                    }
                }

                Assert.Equal(128 + Signals.Kill, await killed.WaitForExitAsync());
                await killed.DisposeAsync();
                killed = await ServerProcess.StartAsync(start);
                using var again = killed.Client();
                var job = Json.Parse(await again.GetStringAsync("/api/v1/jobs?kind=preparation&limit=1", Cancel)).GetProperty("items")[0].GetProperty("id").GetString();
                var ended = await again.WaitForJobAsync($"/api/v1/jobs/{job}", Cancel);
                Assert.True(ended.GetProperty("state").GetString() == "succeeded", ended.ToString());
                var version = Json.Parse(await again.GetStringAsync($"/api/v1/datasets/prepared/versions/{ended.GetProperty("result").GetProperty("version").GetInt32()}", Cancel));
                files.Add(string.Concat(version.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("sha256").GetString())));
            }

            Assert.Single(files);
        }
        finally
        {
            await killed.DisposeAsync();
        }
    }

    private static async Task ImportAsync(HttpClient client, ServerProcess server, string name, string content, string ending = "csv")
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, $"{name}.{ending}");
        await File.WriteAllTextAsync(path, content, Cancel);
        using var answer = await client.PostAsync($"/api/v1/datasets/{name}/versions", Json.Body(new { source = $"file:{path}" }), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
    }

    private static async Task<JsonElement> PrepareAsync(HttpClient client, object request)
    {
        using var answer = await client.PostAsync("/api/v1/preparations", Json.Body(request), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        return job;
    }
}
