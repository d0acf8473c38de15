using System.Net;
using System.Net.Http.Headers;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public class AccessTests(ServerProcess server)
{
    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/login")]
    public async Task The_open_list_needs_no_key(string path)
    {
        using var client = server.Client(key: null);

        using var answer = await client.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/jobs")]
    [InlineData("/api/v1/keys")]
    [InlineData("/v1/models")]
    [InlineData("/swagger/v1/swagger.json")]
    [InlineData("/swagger/index.html")]
    [InlineData("/no/such/route")]
    [InlineData("/")]
    public async Task Everything_else_is_refused_without_one(string path)
    {
        using var client = server.Client(key: null);

        using var answer = await client.GetAsync(path);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task A_wrong_key_is_refused_and_not_repeated()
    {
        using var client = server.Client("llmos_sk_000000000000_0000000000000000000000000000000000000000000");

        using var answer = await client.GetAsync("/api/v1/jobs");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.DoesNotContain("000000", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_may_come_as_x_api_key()
    {
        using var client = server.Client(key: null);
        client.DefaultRequestHeaders.Add("x-api-key", ServerProcess.AdminKey);

        using var answer = await client.GetAsync("/api/v1/jobs");

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Theory]
    [InlineData("inference", "/v1/models", HttpStatusCode.OK)]
    [InlineData("inference", "/api/v1/jobs", HttpStatusCode.Forbidden)]
    [InlineData("inference", "/api/v1/keys", HttpStatusCode.Forbidden)]
    [InlineData("read", "/api/v1/jobs", HttpStatusCode.OK)]
    [InlineData("read", "/v1/models", HttpStatusCode.Forbidden)]
    [InlineData("read", "/V1/Models", HttpStatusCode.Forbidden)]
    [InlineData("inference", "/V1/Models", HttpStatusCode.OK)]
    [InlineData("read", "/API/V1/jobs", HttpStatusCode.OK)]
    [InlineData("inference", "/API/V1/jobs", HttpStatusCode.Forbidden)]
    [InlineData("read", "/api/v1/keys", HttpStatusCode.Forbidden)]
    [InlineData("app:stories", "/api/v1/jobs", HttpStatusCode.Forbidden)]
    [InlineData("app:stories", "/v1/models", HttpStatusCode.Forbidden)]
    public async Task A_key_opens_what_its_scopes_say(string scope, string path, HttpStatusCode expected)
    {
        using var admin = server.Client();
        var (id, key) = await admin.MakeKeyAsync(scope);
        using var client = server.Client(key);

        using var answer = await client.GetAsync(path);

        Assert.Equal(expected, answer.StatusCode);
        await admin.DeleteAsync($"/api/v1/keys/{id}");
    }

    [Theory]
    [InlineData("inference", "/v1/completions", HttpStatusCode.BadRequest)]
    [InlineData("inference", "/V1/COMPLETIONS", HttpStatusCode.BadRequest)]
    [InlineData("inference", "/Pipeline/text-generation", HttpStatusCode.BadRequest)]
    [InlineData("inference", "/Models/starter/v1/completions", HttpStatusCode.BadRequest)]
    [InlineData("read", "/V1/COMPLETIONS", HttpStatusCode.Forbidden)]
    [InlineData("read", "/Models/starter/v1/completions", HttpStatusCode.Forbidden)]
    public async Task Case_in_a_path_changes_neither_scope_nor_shape(string scope, string path, HttpStatusCode expected)
    {
        using var admin = server.Client();
        var (id, key) = await admin.MakeKeyAsync(scope);
        using var client = server.Client(key);

        using var answer = await client.PostAsync(path, Answers.Json("{}"));

        Assert.Equal(expected, answer.StatusCode);
        Assert.True((await answer.ReadAsync()).GetProperty("error").TryGetProperty("type", out _));
        await admin.DeleteAsync($"/api/v1/keys/{id}");
    }

    [Fact]
    public async Task Reading_does_not_allow_changing()
    {
        using var admin = server.Client();
        var (_, key) = await admin.MakeKeyAsync("read", "inference");
        using var client = server.Client(key);

        using var answer = await client.PostAsync("/api/v1/jobs/job_x/cancel", null);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_with_the_next_request()
    {
        using var admin = server.Client();
        var (id, key) = await admin.MakeKeyAsync("read");
        using var client = server.Client(key);
        using var before = await client.GetAsync("/api/v1/jobs");
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        using var revoked = await admin.DeleteAsync($"/api/v1/keys/{id}");
        using var after = await client.GetAsync("/api/v1/jobs");

        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
    }

    [Fact]
    public async Task Keys_are_listed_without_their_secrets()
    {
        using var admin = server.Client();
        var (id, key) = await admin.MakeKeyAsync("read");

        var text = await admin.GetStringAsync("/api/v1/keys?limit=500");

        Assert.Contains(id, text, StringComparison.Ordinal);
        Assert.DoesNotContain(key, text, StringComparison.Ordinal);
        Assert.DoesNotContain(ServerProcess.AdminKey, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_browser_is_sent_to_the_login_page()
    {
        using var client = Browser();

        using var answer = await client.GetAsync("/swagger/index.html?a=b");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Equal("/login?next=%2Fswagger%2Findex.html%3Fa%3Db", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_session_lets_a_browser_look_and_change_only_with_the_console_s_header()
    {
        using var browser = Browser();
        using var login = await browser.PostAsync("/login", Form(ServerProcess.AdminKey, "/swagger/index.html"));
        Assert.Equal(HttpStatusCode.Redirect, login.StatusCode);
        Assert.Equal("/swagger/index.html", login.Headers.Location?.OriginalString);
        var cookie = login.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=strict", cookie, StringComparison.OrdinalIgnoreCase);
        browser.DefaultRequestHeaders.Add("Cookie", cookie.Split(';')[0]);

        using var page = await browser.GetAsync("/swagger/index.html");
        using var plainWrite = await browser.PostAsync("/api/v1/keys", Answers.Json("""{"name":"x"}"""));
        browser.DefaultRequestHeaders.Add("x-llmos-console", "1");
        using var consoleWrite = await browser.PostAsync("/api/v1/keys", Answers.Json("""{"name":"x"}"""));

        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("frame-ancestors 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, plainWrite.StatusCode);
        Assert.Equal(HttpStatusCode.Created, consoleWrite.StatusCode);
    }

    [Fact]
    public async Task A_session_ends_with_its_key()
    {
        using var admin = server.Client();
        var (id, key) = await admin.MakeKeyAsync("read");
        using var browser = Browser();
        using var login = await browser.PostAsync("/login", Form(key, "/"));
        browser.DefaultRequestHeaders.Add("Cookie", login.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);

        await admin.DeleteAsync($"/api/v1/keys/{id}");
        using var answer = await browser.GetAsync("/swagger/index.html");

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("https://evil.example/")]
    public async Task A_login_leads_nowhere_else(string next)
    {
        using var browser = Browser();

        using var login = await browser.PostAsync("/login", Form(ServerProcess.AdminKey, next));

        Assert.Equal("/", login.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task A_foreign_page_cannot_sign_a_browser_in()
    {
        using var browser = Browser();
        browser.DefaultRequestHeaders.Add("Origin", "https://evil.example");

        using var login = await browser.PostAsync("/login", Form(ServerProcess.AdminKey, "/"));

        Assert.Equal(HttpStatusCode.BadRequest, login.StatusCode);
        Assert.DoesNotContain(login.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("llmos_session", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Right_keys_sign_in_as_often_as_they_like()
    {
        using var browser = Browser();
        for (var i = 0; i < 25; i++)
        {
            using var login = await browser.PostAsync("/login", Form(ServerProcess.AdminKey, "/"));
            Assert.Equal(HttpStatusCode.Redirect, login.StatusCode);
        }
    }

    private HttpClient Browser()
    {
        var client = server.Client(key: null);
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        return client;
    }

    private static FormUrlEncodedContent Form(string key, string next) => new(new Dictionary<string, string> { ["key"] = key, ["next"] = next });
}
