using System.Net;
using LlmOs.Server.Tests.Http;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Hosting;

/// <summary>A PostgreSQL that goes away and comes back while the server runs.</summary>
public sealed class DatabaseAwayTests : IAsyncLifetime
{
    private readonly PostgresServer _postgres = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _postgres.InitializeAsync();

    public ValueTask DisposeAsync() => _postgres.DisposeAsync();

    [Fact]
    public async Task Requests_get_503_with_a_time_to_come_back_and_are_answered_when_it_is_back()
    {
        _postgres.RequireOwn();
        await using var server = await ServerProcess.StartAsync(new ServerStart { Environment = new Dictionary<string, string?> { ["LLMOS_DATABASE"] = await _postgres.NewDatabaseAsync() } });
        using var client = server.Client();
        var made = await client.MakeKeyAsync("inference");

        await _postgres.StopServerAsync();
        using var stranger = server.Client("llmos_sk_0123456789ab_0000000000000000000000000000000000000000000");
        foreach (var probe in new[] { client, stranger })
        {
            Assert.Equal(HttpStatusCode.OK, (await probe.GetAsync("/healthz", Cancel)).StatusCode);
        }

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/readyz", Cancel)).StatusCode);
        (HttpMethod Method, string Path, object? Body)[] requests =
        [
            (HttpMethod.Get, "/v1/models", null),
            (HttpMethod.Post, "/v1/completions", new { model = "starter", prompt = "x", max_tokens = 1 }),
            (HttpMethod.Get, "/api/v1/jobs", null),
            (HttpMethod.Post, "/api/v1/keys", new { name = "x", scopes = new[] { "read" } }),
            (HttpMethod.Delete, $"/api/v1/keys/{made.Id}", null),
            (HttpMethod.Post, "/api/v1/artifacts/collect", null),
            (HttpMethod.Post, "/api/v1/uploads", new { filename = "f", bytes = 10 }),
        ];
        foreach (var (method, path, body) in requests)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json.Body(body) };
            using var answer = await client.SendAsync(request, Cancel);
            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{method} {path}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Cancel)}");
            Assert.NotNull(answer.Headers.RetryAfter);
        }

        await _postgres.StartServerAsync();
        await server.WaitUntilReadyAsync();
        using var reader = server.Client(made.Key);
        var reply = await reader.PostJsonAsync("/v1/completions", new { model = "starter", prompt = "Once upon a time", max_tokens = 3, temperature = 0 });
        Assert.Equal(", and the", reply.GetProperty("choices")[0].GetProperty("text").GetString());
        using var revoked = await client.DeleteAsync($"/api/v1/keys/{made.Id}", Cancel);
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal(0, await server.StopAsync());
    }
}
