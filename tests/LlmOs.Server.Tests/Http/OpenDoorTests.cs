using System.Net;
using LlmOs.Server.Tests.OpenAi;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

/// <summary>A server without keys answers programs of its machine and its own pages, and no page of anybody else.</summary>
public sealed class OpenDoorTests(OpenDoorTests.OpenServer server) : IClassFixture<OpenDoorTests.OpenServer>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public sealed class OpenServer : ServerProcess
    {
        protected override ServerStart Start => new()
        {
            Environment = new Dictionary<string, string?> { ["LLMOS_AUTH"] = "off", ["LLMOS_ADMIN_KEY"] = null, ["LLMOS_CORS"] = "http://127.0.0.1:4321" },
        };
    }

    [Theory]
    [InlineData(null, null, HttpStatusCode.OK)]
    [InlineData("own", null, HttpStatusCode.OK)]
    [InlineData("http://127.0.0.1:4321", null, HttpStatusCode.OK)] // stated in LLMOS_CORS
    [InlineData("http://127.0.0.1:1", null, HttpStatusCode.Forbidden)]
    [InlineData("http://localhost:4322", null, HttpStatusCode.Forbidden)]
    [InlineData("http://[::1]:4321", null, HttpStatusCode.Forbidden)]
    [InlineData("null", null, HttpStatusCode.Forbidden)]
    [InlineData("https://example.com", null, HttpStatusCode.Forbidden)]
    [InlineData(null, "example.com", HttpStatusCode.Forbidden)] // a name that was given this machine's address
    [InlineData("http://example.com", "example.com", HttpStatusCode.Forbidden)]
    public async Task Only_programs_of_this_machine_and_known_pages_are_answered(string? origin, string? host, HttpStatusCode expected)
    {
        using var client = server.Client(null);
        foreach (var (method, path, body) in new[] { (HttpMethod.Get, "/v1/models", null), (HttpMethod.Post, "/v1/completions", """{"model":"starter","prompt":"x","max_tokens":1}""") })
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : Json.Raw(body) };
            request.Headers.Host = host;
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin == "own" ? server.Address.GetLeftPart(UriPartial.Authority) : origin);
            }

            using var answer = await client.SendAsync(request, Cancel);
            Assert.Equal(expected, answer.StatusCode);
        }
    }
}
