using System.Net;
using System.Text.Json;
using LlmOs.Server.Tests.OpenAi;

namespace LlmOs.Server.Tests.Evaluation;

/// <summary>Evaluations as a client sees them: a job, figures on the version, and a comparison of two versions.</summary>
public sealed class EvaluationTests(ModelServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Multiple_choice_scores_each_choice_and_keeps_its_figures_on_the_version()
    {
        using var client = await server.StartedAsync();
        object[] rows =
        [
            new { context = "Once upon a", choices = new[] { "time", "spoon" }, answer = 0 },
            new { context = "Once upon a", choices = new[] { "time", "spoon" }, answer = 1 },
            new { context = "", choices = new[] { "There was once a king.", "qx vv zk" }, answer = 0 },
        ];

        var job = await EvaluateAsync(client, new { kind = "multiple_choice", model = "starter", rows });

        var result = job.GetProperty("result");
        Assert.Equal(2 / 3.0, result.GetProperty("accuracy").GetDouble(), 1e-12);
        Assert.Equal(2, result.GetProperty("interval").GetArrayLength());
        var sums = result.GetProperty("rows").EnumerateArray().Select(r => r.GetProperty("loglikelihoods").EnumerateArray().Select(v => v.GetDouble()).ToList()).ToList();
        Assert.Equal(sums[0], sums[1]);
        Assert.All(sums, pair => Assert.True(pair[0] > pair[1] && pair[0] < 0));
        var version = Json.Parse(await client.GetStringAsync("/api/v1/models/starter/versions/1", Cancel));
        Assert.Contains(version.GetProperty("metrics").EnumerateArray(), m => m.GetProperty("kind").GetString() == "multiple_choice" && m.GetProperty("accuracy").GetDouble() > 0.6);
        var kept = Json.Parse(await client.GetStringAsync($"/api/v1/evaluations/{job.GetProperty("id").GetString()}", Cancel));
        Assert.Equal("starter:1", kept.GetProperty("model").GetString());
        Assert.Contains(
            Json.Parse(await client.GetStringAsync("/api/v1/evaluations?model=starter", Cancel)).GetProperty("items").EnumerateArray(),
            e => e.GetProperty("id").GetString() == kept.GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_same_text_gives_two_models_figures_that_can_be_compared_in_pairs()
    {
        using var client = await server.ReadyAsync();
        var text = LlmOs.Testing.SharedFolder.Require("data", "tinyshakespeare", "input.txt");
        var spec = new { kind = "perplexity", text = $"file:{text}", window = 128, max_tokens = 1024 };
        await ModelServer.ImportAsync(server, "stories-again", "models", "stories260K", "hf");

        var first = await EvaluateAsync(client, new { spec.kind, model = ModelServer.Stories, spec.text, spec.window, spec.max_tokens });
        var second = await EvaluateAsync(client, new { spec.kind, model = "stories-again", spec.text, spec.window, spec.max_tokens });
        var comparison = await client.PostJsonAsync("/api/v1/evaluations/compare", new { first = ModelServer.Stories, second = "stories-again" });

        var result = first.GetProperty("result");
        Assert.Equal(8 * 127, result.GetProperty("scored_tokens").GetInt32());
        Assert.Equal(Math.Exp(result.GetProperty("nll_sum").GetDouble() / (8 * 127)), result.GetProperty("perplexity").GetDouble(), 1e-6);
        Assert.InRange(result.GetProperty("bits_per_byte").GetDouble(), 0.5, 8);
        Assert.Equal(result.GetProperty("nll_sum").GetDouble(), second.GetProperty("result").GetProperty("nll_sum").GetDouble(), 1e-6);
        Assert.Equal(("nll", 8, "paired_permutation"), (comparison.GetProperty("measure").GetString(), comparison.GetProperty("rows").GetInt32(), comparison.GetProperty("test").GetString()));
        Assert.Equal(0, comparison.GetProperty("difference").GetDouble(), 1e-9);
    }

    [Theory]
    [InlineData("kind", """{"kind":"bleu","model":"starter"}""")]
    [InlineData("text", """{"kind":"perplexity","model":"starter"}""")]
    [InlineData("rows[0].answer", """{"kind":"multiple_choice","model":"starter","rows":[{"context":"a","choices":["b","c"],"answer":2}]}""")]
    [InlineData("model", """{"kind":"multiple_choice","model":"nobody","rows":[{"context":"a","choices":["b","c"],"answer":0}]}""")]
    public async Task What_is_wrong_is_said_before_there_is_a_job(string field, string body)
    {
        using var client = await server.StartedAsync();

        using var answer = await client.PostAsync("/api/v1/evaluations", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Cancel);

        Assert.True((int)answer.StatusCode is 400 or 404, answer.StatusCode.ToString());
        Assert.Contains($"\"{field}\"", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> EvaluateAsync(HttpClient client, object spec)
    {
        using var answer = await client.PostAsync("/api/v1/evaluations", Json.Body(spec), Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, body);
        var id = Json.Parse(body).GetProperty("job").GetProperty("id").GetString();
        var job = await client.WaitForJobAsync($"/api/v1/jobs/{id}", Cancel);
        Assert.True(job.GetProperty("state").GetString() == "succeeded", job.ToString());
        return job;
    }
}
