using System.Net;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public partial class SignInTests(ServerProcess server)
{
    [Theory]
    [InlineData("null")] // sent where a page forbids to say where a request comes from
    [InlineData("http://models.example.com")] // as behind a proxy that changes the host's name
    public async Task A_form_that_repeats_its_pages_mark_signs_in_whatever_the_browser_says_of_its_origin(string origin)
    {
        using var browser = server.Client(key: null);
        using var page = await browser.GetAsync("/login");
        var mark = Mark().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        var cookie = page.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        using var without = await PostAsync(browser, origin, mark, cookie: null);
        using var wrong = await PostAsync(browser, origin, new string('0', mark.Length), cookie);
        using var right = await PostAsync(browser, origin, mark, cookie);

        Assert.Equal(HttpStatusCode.BadRequest, without.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, right.StatusCode);
    }

    [Fact]
    public async Task Pages_let_the_browser_say_their_origin_to_this_server_only()
    {
        using var browser = server.Client(key: null);

        using var page = await browser.GetAsync("/login");

        Assert.Equal("same-origin", page.Headers.GetValues("Referrer-Policy").Single());
    }

    [Fact]
    public async Task A_right_key_signs_in_beside_any_number_of_wrong_ones()
    {
        var proxy = IPAddress.Parse("127.0.0.41");
        using var guesser = server.Client(key: null, proxy);
        var guesses = await Task.WhenAll(Enumerable.Range(0, 150).Select(i => StatusAsync(guesser, $"a-wrong-key-of-some-length-{i}")));
        using var other = server.Client(key: null, proxy);

        var right = await StatusAsync(other, ServerProcess.AdminKey);

        Assert.Equal(100, guesses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.All(guesses, status => Assert.True(status is HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.Redirect, right);
    }

    [Fact]
    public async Task Guesses_of_keys_are_limited_on_the_api_too()
    {
        var address = IPAddress.Parse("127.0.0.42");
        using var admin = server.Client();
        var (_, key) = await admin.MakeKeyAsync("read");
        var guesses = new List<HttpStatusCode>();
        for (var i = 0; i < 110; i++)
        {
            using var guesser = server.Client($"llmos_sk_{i:x12}_{new string('A', 43)}", address);
            using var guess = await guesser.GetAsync("/api/v1/jobs");
            guesses.Add(guess.StatusCode);
        }

        using var client = server.Client(key, address);
        using var right = await client.GetAsync("/api/v1/jobs");

        Assert.Equal(100, guesses.Count(status => status == HttpStatusCode.Unauthorized));
        Assert.Equal(10, guesses.Count(status => status == HttpStatusCode.TooManyRequests));
        Assert.Equal(HttpStatusCode.OK, right.StatusCode);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string key)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = key, ["next"] = "/" });
        using var answer = await client.PostAsync("/login", form);
        return answer.StatusCode;
    }

    private static async Task<HttpResponseMessage> PostAsync(HttpClient browser, string origin, string mark, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/login")
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["key"] = ServerProcess.AdminKey, ["next"] = "/", ["page"] = mark }),
        };
        request.Headers.Add("Origin", origin);
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        return await browser.SendAsync(request);
    }

    [GeneratedRegex("name=\"page\" value=\"([0-9a-f]+)\"")]
    private static partial Regex Mark();
}
