using System.Net;
using System.Text.RegularExpressions;
using LlmOs.Testing;

namespace LlmOs.Server.Tests.Http;

public sealed class UserSessionTests(ServerProcess server)
{
    private const string Password = "correct horse battery";

    [Fact]
    public async Task A_user_signs_in_and_may_do_what_the_scopes_say()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");
        using var browser = await SignedInAsync(name, Password);

        using var look = await browser.GetAsync("/api/v1/jobs");
        using var change = await browser.PostAsync("/api/v1/jobs/job_x/cancel", null);
        using var users = await browser.GetAsync("/api/v1/users");

        Assert.Equal(HttpStatusCode.OK, look.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, change.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, users.StatusCode);
    }

    [Fact]
    public async Task A_disabled_users_session_ends_with_the_next_request()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");
        using var browser = await SignedInAsync(name, Password);

        using var disabled = await admin.PatchAsync($"/api/v1/users/{name}", Answers.Json("""{"disabled":true}"""));
        using var after = await browser.GetAsync("/api/v1/jobs");
        using var again = await TrySignInAsync(name, Password);

        Assert.Equal(HttpStatusCode.OK, disabled.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Contains("Sign in again", await after.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
    }

    [Fact]
    public async Task The_own_password_is_changed_and_the_session_ends()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");
        using var browser = await SignedInAsync(name, Password);

        using var wrong = await browser.PostAsync("/api/v1/users/me/password", Answers.Json("""{"current_password":"a guess","new_password":"another password"}"""));
        using var right = await browser.PostAsync("/api/v1/users/me/password", Answers.Json($$"""{"current_password":"{{Password}}","new_password":"another password"}"""));
        using var after = await browser.GetAsync("/api/v1/jobs");
        using var old = await TrySignInAsync(name, Password);
        using var now = await TrySignInAsync(name, "another password");

        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("current_password", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NoContent, right.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, now.StatusCode);
    }

    [Fact]
    public async Task A_key_has_no_password_to_change()
    {
        using var admin = server.Client();

        using var answer = await admin.PostAsync("/api/v1/users/me/password", Answers.Json("""{"current_password":"a guess","new_password":"another password"}"""));

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_name_are_told_the_same()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");

        using var wrong = await TrySignInAsync(name, "not the password");
        using var unknown = await TrySignInAsync("nobody-of-this-name", "not the password");
        using var impossible = await TrySignInAsync("\uFFFE", "not the password");

        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(await TextAsync(wrong), await TextAsync(unknown));
        Assert.Equal(HttpStatusCode.Unauthorized, impossible.StatusCode);
        using var nobody = await admin.GetAsync("/api/v1/users/%EF%BF%BE");
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    [Fact]
    public async Task Whoever_guesses_passwords_has_to_wait()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");
        var address = IPAddress.Parse("127.0.0.11"); // its own: the other tests go on signing in
        for (var i = 0; i < 10; i++)
        {
            using var wrong = await TrySignInAsync(name, $"guess number {i}", address);
            Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        }

        using var late = await TrySignInAsync(name, Password, address);

        Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
        Assert.DoesNotContain(late.Headers.GetValues("Set-Cookie"), cookie => cookie.StartsWith("llmos_session", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Signing_out_ends_the_session_for_every_copy_of_its_cookie_and_for_no_other()
    {
        using var admin = server.Client();
        var name = await MakeAsync(admin, "read");
        using var browser = await SignedInAsync(name, Password);
        using var copy = server.Client(key: null);
        copy.DefaultRequestHeaders.Add("Cookie", browser.DefaultRequestHeaders.GetValues("Cookie"));
        using var elsewhere = await SignedInAsync(name, Password);

        using var before = await copy.GetAsync("/api/v1/jobs");
        using var signedOut = await browser.PostAsync("/logout", null);
        using var after = await copy.GetAsync("/api/v1/jobs");
        using var other = await elsewhere.GetAsync("/api/v1/jobs");

        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        Assert.Equal("/login", signedOut.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Unauthorized, after.StatusCode);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Fact]
    public async Task A_deleted_users_keys_stay_unless_they_are_to_go_too()
    {
        using var admin = server.Client();
        var (stays, goes) = (await MakeAsync(admin, "admin"), await MakeAsync(admin, "admin"));
        var (kept, revoked) = (await KeyOfAsync(stays), await KeyOfAsync(goes));

        using var one = await admin.DeleteAsync($"/api/v1/users/{stays}");
        using var two = await admin.DeleteAsync($"/api/v1/users/{goes}?revoke_keys=true");

        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NoContent), (one.StatusCode, two.StatusCode));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(kept));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(revoked));
        Assert.Contains("\"made_by\":\"user_", await admin.GetStringAsync("/api/v1/keys?limit=500"), StringComparison.Ordinal);

        async Task<string> KeyOfAsync(string user)
        {
            using var browser = await SignedInAsync(user, Password);
            return (await browser.MakeKeyAsync("read")).Key;
        }

        async Task<HttpStatusCode> StatusAsync(string key)
        {
            using var client = server.Client(key);
            using var answer = await client.GetAsync("/api/v1/jobs");
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task Passwords_stand_in_no_answer_and_no_log()
    {
        using var admin = server.Client();
        const string Secret = "a-password-found-nowhere-else";
        using var made = await admin.PostAsync("/api/v1/users", Answers.Json($$"""{"name":"quiet","password":"{{Secret}}"}"""));
        using var twice = await admin.PostAsync("/api/v1/users", Answers.Json($$"""{"name":"quiet","password":"{{Secret}}"}"""));
        using var tooLong = await admin.PostAsync("/api/v1/users", Answers.Json($$"""{"name":"quiet2","password":"{{string.Concat(Enumerable.Repeat(Secret, 12))}}"}"""));
        using var signedIn = await TrySignInAsync("quiet", Secret);
        using var refused = await TrySignInAsync("quiet", Secret + "!");

        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        Assert.Equal("/api/v1/users/quiet", made.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Conflict, twice.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, tooLong.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, signedIn.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        foreach (var answer in new[] { made, twice, tooLong, signedIn, refused })
        {
            Assert.DoesNotContain(Secret, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(Secret, await admin.GetStringAsync("/api/v1/users?limit=500"), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, server.Output, StringComparison.Ordinal);
    }

    /// <summary>A page without the mark that is new on each.</summary>
    private static async Task<string> TextAsync(HttpResponseMessage page) =>
        Regex.Replace(await page.Content.ReadAsStringAsync(), "name=\"page\" value=\"[0-9a-f]+\"", "");

    private static async Task<string> MakeAsync(HttpClient admin, string scope)
    {
        var name = $"user-{Guid.NewGuid():N}"[..20];
        using var made = await admin.PostAsync("/api/v1/users", Answers.Json($$"""{"name":"{{name}}","password":"{{Password}}","scopes":["{{scope}}"]}"""));
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return name;
    }

    private async Task<HttpResponseMessage> TrySignInAsync(string name, string password, IPAddress? from = null)
    {
        using var browser = server.Client(key: null, from ?? IPAddress.Parse("127.0.0.12"));
        using var form = new FormUrlEncodedContent(new Dictionary<string, string> { ["user"] = name, ["password"] = password, ["next"] = "/" });
        return await browser.PostAsync("/login", form);
    }

    /// <summary>A browser with a session, whose requests carry the console's header.</summary>
    private async Task<HttpClient> SignedInAsync(string name, string password)
    {
        using var login = await TrySignInAsync(name, password);
        Assert.Equal(HttpStatusCode.Redirect, login.StatusCode);
        var browser = server.Client(key: null);
        browser.DefaultRequestHeaders.Add("Cookie", login.Headers.GetValues("Set-Cookie").Single().Split(';')[0]);
        browser.DefaultRequestHeaders.Add("x-llmos-console", "1");
        return browser;
    }
}
