using System.Net;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

/// <summary>A server behind a proxy that is known, with pages of one other origin.</summary>
public class PublicAddressTests(PublicAddressTests.Server server) : IClassFixture<PublicAddressTests.Server>
{
    private const string Friend = "https://chat.example.com";
    private static readonly IPAddress Proxy = IPAddress.Parse("127.0.0.31");

    [Fact]
    public async Task Redirects_forms_and_links_stand_under_the_base_path()
    {
        using var client = server.Client(key: null);
        client.DefaultRequestHeaders.Add("Accept", "text/html");

        using var toLogin = await client.GetAsync("/llmos/console/models");
        var page = await client.GetStringAsync("/llmos/login?next=/console/models");
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = ServerProcess.AdminKey, ["next"] = "/console/models" });
        using var signedIn = await client.PostAsync("/llmos/login", form);

        Assert.Equal("/llmos/login?next=%2Fconsole%2Fmodels", toLogin.Headers.Location?.OriginalString);
        Assert.Contains("action=\"/llmos/login\"", page, StringComparison.Ordinal);
        Assert.Equal("/llmos/console/models", signedIn.Headers.Location?.OriginalString);

        client.DefaultRequestHeaders.Add("Cookie", signedIn.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        var console = await client.GetStringAsync("/llmos/console/models");
        Assert.Contains("<base href=\"/llmos/\"", console, StringComparison.Ordinal);
        Assert.DoesNotMatch("(href|src|action)=\"/(?!llmos/)", console);
    }

    [Fact]
    public async Task A_proxy_that_cuts_the_base_path_off_is_answered_alike()
    {
        using var client = server.Client();

        using var made = await client.PostAsync("/api/v1/keys", Answers.Json("""{"name":"cut","scopes":["read"]}"""));

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.StartsWith("/llmos/api/v1/keys/key_", made.Headers.Location?.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_known_proxy_says_host_scheme_and_prefix()
    {
        using var client = Browser(Proxy);
        using var request = SignIn("https://models.example.com", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "models.example.com"), ("X-Forwarded-Prefix", "/ai"));

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/ai/", answer.Headers.Location?.OriginalString);
        Assert.Contains("secure", answer.Headers.GetValues("Set-Cookie").Single(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Anybody_else_says_nothing()
    {
        using var client = Browser(IPAddress.Parse("127.0.0.32"));
        using var request = SignIn("https://models.example.com", ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "models.example.com"));

        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_page_of_a_stated_origin_may_call_with_a_key_and_asks_without_one()
    {
        using var client = server.Client(key: null);
        using var asks = new HttpRequestMessage(HttpMethod.Options, "/v1/chat/completions");
        asks.Headers.Add("Origin", Friend);
        asks.Headers.Add("Access-Control-Request-Method", "POST");
        asks.Headers.Add("Access-Control-Request-Headers", "authorization,content-type");
        using var refusedCall = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        refusedCall.Headers.Add("Origin", Friend);

        using var preflight = await client.SendAsync(asks);
        using var refused = await client.SendAsync(refusedCall);

        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(Friend, preflight.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("authorization", preflight.Headers.GetValues("Access-Control-Allow-Headers").Single(), StringComparison.OrdinalIgnoreCase);
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal(Friend, refused.Headers.GetValues("Access-Control-Allow-Origin").Single()); // so that the page can read why
    }

    [Theory]
    [InlineData("https://other.example.com")]
    [InlineData("null")]
    public async Task A_page_of_another_origin_is_told_nothing(string origin)
    {
        using var client = server.Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/models");
        request.Headers.Add("Origin", origin);

        using var answer = await client.SendAsync(request);

        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private HttpClient Browser(IPAddress from) => server.Client(key: null, from);

    private static HttpRequestMessage SignIn(string origin, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = ServerProcess.AdminKey, ["next"] = "/" }),
        };
        request.Headers.Add("Origin", origin);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return request;
    }

    public sealed class Server : ServerProcess
    {
        protected override ServerStart Start { get; } = new()
        {
            Environment = new Dictionary<string, string?> { ["LLMOS_CORS"] = Friend, ["LLMOS_PROXIES"] = "127.0.0.31,10.9.0.0/16", ["LLMOS_BASE_PATH"] = "/llmos/" },
        };
    }
}
