using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Datasets;

/// <summary>Rows of a test set that stand in a training set.</summary>
public sealed class LeakageTests(ServerProcess server)
{
    private const string Long = "It was the best of times it was the worst of times it was the age of wisdom it was the age of foolishness";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Near_duplicates_and_runs_of_words_are_found_and_nothing_else()
    {
        using var client = server.Client();
        await ImportAsync(client, "leak-train", ["A first row about a cat that sleeps all day long.", "He wrote: " + Long + ", and so on for pages; nothing else of it is alike in any way at all, or is it?", "Numbers: one two three."]);
        await ImportAsync(client, "leak-test", ["Something that stands nowhere else.", "a first row about a cat that  sleeps all day long!", "Quote of the day. " + Long, "Numbers: four five six."]);

        using var answer = await client.PostAsync("/api/v1/leakage", Json.Body(new { train = "leak-train:1", test = "leak-test:1" }), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);

        var result = job.GetProperty("result");
        Assert.False(result.GetProperty("clean").GetBoolean());
        Assert.Equal(2, result.GetProperty("overlap").GetInt32());
        Assert.Equal([(2, 1, "near_duplicate"), (3, 2, "n_gram")], result.GetProperty("rows").EnumerateArray().Select(r => (r.GetProperty("test_row").GetInt32(), r.GetProperty("train_row").GetInt32(), r.GetProperty("why").GetString()!)));
        Assert.StartsWith("a first row", result.GetProperty("rows")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sets_that_share_nothing_are_clean_and_a_set_is_not_compared_with_itself()
    {
        using var client = server.Client();
        await ImportAsync(client, "leak-a", ["One row of its own kind."]);
        await ImportAsync(client, "leak-b", ["Quite another text stands here."]);

        using var answer = await client.PostAsync("/api/v1/leakage", Json.Body(new { train = "leak-a", test = "leak-b" }), Cancel);
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.Equal((true, 0), (job.GetProperty("result").GetProperty("clean").GetBoolean(), job.GetProperty("result").GetProperty("overlap").GetInt32()));

        using var itself = await client.PostAsync("/api/v1/leakage", Json.Body(new { train = "leak-a:1", test = "leak-a:1" }), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, itself.StatusCode);
        using var missing = await client.PostAsync("/api/v1/leakage", Json.Body(new { train = "leak-a:1", test = "leak-none:1" }), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    private async Task ImportAsync(HttpClient client, string name, string[] rows)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, $"{name}.jsonl");
        await File.WriteAllLinesAsync(path, rows.Select(text => JsonSerializer.Serialize(new { text })), Cancel);
        using var answer = await client.PostAsync($"/api/v1/datasets/{name}/versions", Json.Body(new { source = $"file:{path}" }), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        var job = await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
    }
}
