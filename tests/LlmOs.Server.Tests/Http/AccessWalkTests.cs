using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

/// <summary>
/// Every operation with every kind of credential. Who may what is the table of docs/access.md; with
/// <c>LLMOS_UPDATE_SNAPSHOTS=1</c> it is written instead of compared.
/// </summary>
/// <remarks>Paths name what does not exist and bodies are empty lists, so that nothing is done where access is given.</remarks>
public partial class AccessWalkTests(AccessWalkTests.Server server) : IClassFixture<AccessWalkTests.Server>
{
    private const string Slug = "walked";
    private static readonly string[] Scopes = [$"app:{Slug}", "inference", "read", "admin"];

    [Fact]
    public async Task Who_may_what_is_what_the_table_says()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var admin = server.Client();
        using var made = await admin.PostAsJsonAsync("/api/v1/apps", new { template = "story-writer", slug = Slug });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var clients = new List<HttpClient> { server.Client(key: null) };
        foreach (var scope in Scopes)
        {
            clients.Add(server.Client((await admin.MakeKeyAsync(scope)).Key));
        }

        var table = new StringBuilder("| operation | no key | " + string.Join(" | ", Scopes.Select(s => $"`{s.Replace(Slug, "{slug}", StringComparison.Ordinal)}`")) + " |\n|---|" + string.Concat(clients.Select(_ => "---|")) + "\n");
        foreach (var operation in document.Operations.OrderBy(o => o.Path, StringComparer.Ordinal).ThenBy(o => o.Method, StringComparer.Ordinal))
        {
            var cells = new List<string>();
            foreach (var client in clients)
            {
                cells.Add(await StatusAsync(client, operation) switch
                {
                    HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "",
                    _ => "yes",
                });
            }

            table.Append("| `").Append(operation).Append("` | ").AppendJoin(" | ", cells).Append(" |\n");
        }

        clients.ForEach(client => client.Dispose());
        var file = Path.Combine(SharedFolder.Repository, "docs", "access.md");
        var text = await File.ReadAllTextAsync(file);
        var written = Table().Replace(text, _ => table.ToString());
        if (Environment.GetEnvironmentVariable("LLMOS_UPDATE_SNAPSHOTS") == "1")
        {
            await File.WriteAllTextAsync(file, written);
        }

        Assert.True(written == await File.ReadAllTextAsync(file), "Who may what has changed: run this test with LLMOS_UPDATE_SNAPSHOTS=1 and review the change of docs/access.md.");
    }

    [Fact]
    public async Task What_is_worth_nothing_opens_no_more_than_nothing_does()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var admin = server.Client();
        var (revokedId, revoked) = await admin.MakeKeyAsync("admin");
        using var gone = await admin.DeleteAsync($"/api/v1/keys/{revokedId}");
        using var soon = await admin.PostAsJsonAsync("/api/v1/keys", new { name = "soon", scopes = new[] { "admin" }, expires_at = TimeProvider.System.GetUtcNow().AddSeconds(1) });
        var expired = (await soon.ReadAsync()).GetProperty("key").GetString()!;
        var disabled = await CookieAsync(await UserAsync(admin, "left"));
        using var disable = await admin.PatchAsync("/api/v1/users/left", Answers.Json("""{"disabled":true}"""));
        var signedOut = await CookieAsync(await UserAsync(admin, "gone"));
        using (var browser = Browser(signedOut))
        {
            using var logout = await browser.PostAsync("/logout", null);
            Assert.Equal(HttpStatusCode.Redirect, logout.StatusCode);
        }

        await UntilAsync(() => StatusOfKeyAsync(expired), HttpStatusCode.Unauthorized);
        (string Name, HttpClient Client)[] callers =
        [
            ("a wrong key", server.Client("llmos_sk_0123456789ab_0000000000000000000000000000000000000000000")),
            ("a revoked key", server.Client(revoked)),
            ("an expired key", server.Client(expired)),
            ("the session of a disabled user", Browser(disabled, "1")),
            ("a session that was signed out", Browser(signedOut, "1")),
            ("a session that nobody began", Browser("llmos_session=abc", "1")),
        ];
        var opened = new List<string>();
        using (var nothing = server.Client("nothing"))
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(nothing, document.Operations.First(o => !o.IsOpen))); // alone: many would wait their turn
        }

        foreach (var (name, client) in callers)
        {
            foreach (var operation in document.Operations.Where(o => !o.IsOpen))
            {
                if (await StatusAsync(client, operation) is not (HttpStatusCode.Unauthorized or HttpStatusCode.TooManyRequests) and var status)
                {
                    opened.Add($"{name}: {operation} answered {(int)status}");
                }
            }

            client.Dispose();
        }

        Assert.True(opened.Count == 0, string.Join('\n', opened));
    }

    [Fact]
    public async Task A_browsers_session_changes_nothing_without_the_consoles_header()
    {
        var document = await OpenApiDocument.ReadAsync(server);
        using var admin = server.Client();
        var cookie = await CookieAsync(await UserAsync(admin, "browses"));
        using var plain = Browser(cookie);
        using var foreign = Browser(cookie);
        foreign.DefaultRequestHeaders.Add("Origin", "http://127.0.0.1:1");
        using var console = Browser(cookie, "1");

        var wrong = new List<string>();
        foreach (var operation in document.Operations.Where(o => !o.IsOpen))
        {
            foreach (var (who, client) in new[] { ("without the header", plain), ("from a foreign page", foreign), ("from the console", console) })
            {
                var isOpened = await StatusAsync(client, operation) is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden);
                if (isOpened != (operation.Method is "GET" or "HEAD" || who == "from the console"))
                {
                    wrong.Add($"{operation} {who}: {(isOpened ? "opened" : "refused")}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, Operation operation)
    {
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), PathParameter().Replace(operation.Path, match => match.Value == "{slug}" && operation.Method != "DELETE" ? Slug : "0"));
        if (operation.Method is "POST" or "PUT" or "PATCH")
        {
            request.Content = operation.TakesFormOnly ? new MultipartFormDataContent() : Answers.Json("[]");
        }

        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private async Task<HttpStatusCode> StatusOfKeyAsync(string key)
    {
        using var client = server.Client(key);
        using var answer = await client.GetAsync("/api/v1/jobs");
        return answer.StatusCode;
    }

    private static async Task UntilAsync(Func<Task<HttpStatusCode>> look, HttpStatusCode wanted)
    {
        for (var i = 0; await look() != wanted; i++)
        {
            Assert.True(i < 600, "it never came to be");
            await Task.Delay(100);
        }
    }

    private static async Task<string> UserAsync(HttpClient admin, string name)
    {
        using var made = await admin.PostAsJsonAsync("/api/v1/users", new { name, password = Password, scopes = new[] { "admin" } });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return name;
    }

    private async Task<string> CookieAsync(string name)
    {
        using var browser = server.Client(key: null);
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["user"] = name, ["password"] = Password, ["next"] = "/" });
        using var answer = await browser.PostAsync("/login", form);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private HttpClient Browser(string cookie, string? header = null)
    {
        var browser = server.Client(key: null);
        browser.DefaultRequestHeaders.Add("Cookie", cookie);
        if (header is not null)
        {
            browser.DefaultRequestHeaders.Add("x-llmos-console", header);
        }

        return browser;
    }

    private const string Password = "a password of the walk";

    [GeneratedRegex(@"\{[a-zA-Z]+\}")]
    private static partial Regex PathParameter();

    [GeneratedRegex(@"\| operation \|.*\n(?:\|.*\n)*")]
    private static partial Regex Table();

    public sealed class Server : ServerProcess
    {
        protected override ServerStart Start { get; } = new() { Environment = new Dictionary<string, string?> { ["LLMOS_ROLES"] = "api,inference" } };
    }
}
