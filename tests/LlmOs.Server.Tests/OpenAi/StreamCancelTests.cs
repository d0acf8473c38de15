using System.Text.Json;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>One slot alone, so that a reply that kept running would keep the next one waiting.</summary>
public sealed class StreamCancelTests
{
    [Fact]
    public async Task A_client_that_leaves_frees_the_slot()
    {
        await using var server = new OneSlotServer();
        await server.InitializeAsync();
        using var client = await server.ReadyAsync();

        for (var round = 0; round < 3; round++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
            {
                Content = Json.Body(new { model = OneSlotServer.Name, prompt = "Once upon a time", max_tokens = 1_000_000, min_tokens = 400, temperature = 1, stream = true }),
            };
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
            Assert.StartsWith("data: ", await reader.ReadLineAsync(), StringComparison.Ordinal);
            reader.Dispose();
            answer.Dispose();
        }

        // With one slot and one place to wait, this is refused for as long as a reply that nobody reads goes on.
        var done = await WhenFreeAsync(client);

        Assert.Equal(1, done.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task More_than_fits_is_refused_and_told_to_come_back()
    {
        await using var server = new OneSlotServer();
        await server.InitializeAsync();
        using var client = await server.ReadyAsync();

        using var answer = await client.PostAsync("/v1/completions", Json.Body(new { model = OneSlotServer.Name, prompt = "Once", max_tokens = 4, n = 8 }));

        Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal("overloaded", Json.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error").GetProperty("code").GetString());
    }

    private static async Task<JsonElement> WhenFreeAsync(HttpClient client)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var answer = await client.PostAsync("/v1/completions", Json.Body(new { model = OneSlotServer.Name, prompt = "Once", max_tokens = 1 }));
            if (answer.IsSuccessStatusCode)
            {
                return Json.Parse(await answer.Content.ReadAsStringAsync());
            }

            Assert.Equal(System.Net.HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.True(attempt < 100, "the slot was never freed");
            await Task.Delay(50);
        }
    }
}
