using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Tokenizers;

/// <summary>A tokenizer is trained by a job, and a model with it.</summary>
public sealed class TokenizerTrainingTests(ServerProcess server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_trains_a_tokenizer_that_encodes_and_that_a_training_takes_by_its_name()
    {
        using var client = server.Client();
        var text = await TextAsync();

        var trained = await EndOfAsync(client, "/api/v1/tokenizers/train", new { name = "learnt/pieces", text, train = "unigram", vocabulary = 120 });

        Assert.True(trained.GetProperty("state").GetString() == "succeeded", trained.ToString());
        Assert.Equal("tokenizer", trained.GetProperty("kind").GetString());
        var result = trained.GetProperty("result");
        Assert.Equal(("learnt/pieces", "Unigram"), (result.GetProperty("name").GetString(), result.GetProperty("kind").GetString()));
        Assert.Equal(result.GetProperty("tokens").GetDouble() / result.GetProperty("words").GetDouble(), result.GetProperty("fertility").GetDouble(), 1e-9);
        Assert.Equal(6 * 2_000, result.GetProperty("words").GetInt32());
        Assert.Equal(1, result.GetProperty("coverage").GetDouble());
        var shown = Json.Parse(await client.GetStringAsync("/api/v1/tokenizers/learnt%2Fpieces", Cancel));
        Assert.Equal(result.GetProperty("vocabulary").GetInt32(), shown.GetProperty("vocabulary").GetInt32());
        var ids = await client.PostJsonAsync("/api/v1/tokenizers/learnt%2Fpieces/encode", new { texts = new[] { "The cat number 7 sat." } });
        var back = await client.PostJsonAsync("/api/v1/tokenizers/learnt%2Fpieces/decode", new { ids = ids.GetProperty("ids") });
        Assert.Equal("The cat number 7 sat.", back.GetProperty("texts")[0].GetString());

        var model = await EndOfAsync(client, "/api/v1/training", new
        {
            name = "of-pieces",
            text,
            tokenizer = "learnt/pieces",
            architecture = new { type = "llama", layers = 1, hidden = 32, heads = 2, context = 32 },
            budget = new { steps = 3 },
            threads = 1,
        });
        Assert.True(model.GetProperty("state").GetString() == "succeeded", model.ToString());
        var files = Json.Parse(await client.GetStringAsync("/api/v1/models/of-pieces/versions/1", Cancel)).GetProperty("files").EnumerateArray();
        Assert.Contains(shown.GetProperty("files")[0].GetProperty("sha256").GetString(), files.Select(f => f.GetProperty("sha256").GetString()));
    }

    [Fact]
    public async Task A_kind_that_is_not_trained_is_refused_before_there_is_a_job()
    {
        using var client = server.Client();

        using var answer = await client.PostAsync("/api/v1/tokenizers/train", Json.Body(new { name = "none", text = await TextAsync(), train = "phonetic" }), Cancel);
        var problem = Json.Parse(await answer.Content.ReadAsStringAsync(Cancel));

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("'unigram'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_vocabulary_too_small_for_the_text_fails_the_job_with_the_number_that_is_needed()
    {
        using var client = server.Client();

        var job = await EndOfAsync(client, "/api/v1/jobs", new { kind = "tokenizer", spec = new { name = "small", text = await TextAsync(), train = "wordpiece", vocabulary = 10 } });

        Assert.Equal("failed", job.GetProperty("state").GetString());
        Assert.Matches("take [0-9]+ tokens; there is room for 10", job.GetProperty("error").GetProperty("message").GetString());
        using var none = await client.GetAsync("/api/v1/tokenizers/small", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    private async Task<string> TextAsync()
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(server.Data, "import")).FullName, $"{Guid.NewGuid():n}.txt");
        await File.WriteAllTextAsync(path, string.Concat(Enumerable.Range(0, 2_000).Select(i => $"The cat number {i % 97} sat down.\n")), Cancel);
        return $"file:{path}";
    }

    private static async Task<JsonElement> EndOfAsync(HttpClient client, string route, object request)
    {
        using var answer = await client.PostAsync(route, Json.Body(request), Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, await answer.Content.ReadAsStringAsync(Cancel));
        return await client.WaitForJobAsync($"{answer.Headers.Location}", Cancel);
    }
}
