using System.Net;
using LlmOs.Server.Tests.Http;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

public class StopTests
{
    private const string Endless = """{"model":"starter","prompt":"Once","max_tokens":1000000,"min_tokens":400,"temperature":1""";

    [Fact]
    public async Task Long_replies_are_cut_off_with_the_documented_error_and_the_end_is_orderly()
    {
        // Many at once, so that none of them is done when the time is over.
        await using var server = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["Serving__StopSeconds"] = "0" } });
        using var client = server.Client();
        var streams = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => OpenAsync(client)));
        var wholes = Enumerable.Range(0, 8).Select(_ => client.PostAsync("/v1/completions", Answers.Json(Endless + "}"))).ToList();

        var stop = server.StopAsync();
        var texts = await Task.WhenAll(streams.Select(stream => stream.Content.ReadAsStringAsync()));
        var answers = await Task.WhenAll(wholes);

        Assert.Equal(0, await stop);
        Assert.All(texts, text => Assert.True(text.Contains("event: error\ndata: {\"error\":{\"message\":\"The server is stopping.", StringComparison.Ordinal) || text.Contains("[DONE]", StringComparison.Ordinal), text[^Math.Min(text.Length, 300)..]));
        Assert.Contains(texts, text => text.Contains("event: error", StringComparison.Ordinal));
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.OK));
        Assert.Contains(answers, answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable);
    }

    private static async Task<HttpResponseMessage> OpenAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Answers.Json(Endless + ",\"stream\":true}") };
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
