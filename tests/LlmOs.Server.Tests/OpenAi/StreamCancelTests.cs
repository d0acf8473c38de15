using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.OpenAi;

/// <summary>One slot alone, so that a reply that kept running would keep the next one waiting.</summary>
public sealed class StreamCancelTests(OneSlotServer server) : IClassFixture<OneSlotServer>
{
    [Fact]
    public async Task A_client_that_leaves_frees_the_slot()
    {
        using var client = await server.ReadyAsync();

        for (var round = 0; round < 3; round++)
        {
            var answer = await WhenTakenAsync(client, new { model = OneSlotServer.Name, prompt = "Once upon a time", max_tokens = 1_000_000, min_tokens = 400, temperature = 1, stream = true });
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
        using var client = await server.ReadyAsync();

        // Three at a time are one too many: one runs, one waits.
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ =>
            client.PostAsync("/v1/completions", Json.Body(new { model = OneSlotServer.Name, prompt = "Once", max_tokens = 400, min_tokens = 400 }))));

        Assert.Contains(answers, a => a.IsSuccessStatusCode);
        var answer = answers.First(a => !a.IsSuccessStatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal("overloaded", Json.Parse(await answer.Content.ReadAsStringAsync()).GetProperty("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_reader_who_takes_nothing_loses_the_stream_and_the_slot()
    {
        using var client = await server.ReadyAsync();

        using var stalled = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await stalled.ConnectAsync("127.0.0.1", server.Address.Port);
        // Far more than the buffers between server and reader hold.
        var body = JsonSerializer.Serialize(new { model = OneSlotServer.Name, prompt = "Once", max_tokens = 500, min_tokens = 500, n = 128, logprobs = 20, stream = true });
        await stalled.SendAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {ServerProcess.AdminKey}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
        await stalled.ReceiveAsync(new byte[1]);

        await server.WaitForLineAsync("took nothing");

        Assert.Equal(1, (await WhenFreeAsync(client)).GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    private static async Task<JsonElement> WhenFreeAsync(HttpClient client)
    {
        using var answer = await WhenTakenAsync(client, new { model = OneSlotServer.Name, prompt = "Once", max_tokens = 1 });
        return Json.Parse(await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Sends a request until there is a place for it, and gives its answer from the headers on.</summary>
    private static async Task<HttpResponseMessage> WhenTakenAsync(HttpClient client, object body)
    {
        for (var attempt = 0; ; attempt++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = Json.Body(body) };
            var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }

            Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
            Assert.True(attempt < 1200, "the slot was never freed");
            answer.Dispose();
            await Task.Delay(50);
        }
    }
}
