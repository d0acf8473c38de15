using System.Net;
using System.Security.Cryptography;
using System.Text;
using LlmOs.Infrastructure.Access;
using LlmOs.Web;
using LlmOs.Web.Language;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LlmOs.Server.Http;

/// <summary>The page of the sign-in: without script, so that it works before anything else does.</summary>
internal static class LoginPage
{
    private const string PageCookie = "llmos_login";
    private const string PageField = "page";
    private const int MarkLength = 32;

    /// <param name="next">Where the person wanted to go.</param>
    /// <param name="refusal">What is said of the last attempt.</param>
    public static async Task<ContentHttpResult> OfAsync(
        string? next, HttpRequest request, Users users, Func<Texts, string>? refusal, int status, CancellationToken cancel)
    {
        var language = Look.Of(request).Language;
        var texts = Texts.Of(language);
        var root = WebUtility.HtmlEncode(request.PathBase.Value ?? "");
        var target = $"""<input type="hidden" name="{PageField}" value="{MarkOf(request.HttpContext)}"><input type="hidden" name="next" value="{WebUtility.HtmlEncode(next is not null && IsLocal(next) ? next : "/")}">""";

        // While there is no user, only a key can be asked for.
        var byName = !await users.AnyAsync(cancel) ? "" : $"""
            <form method="post" action="{root}/login">
              <label for="user">{texts.UserName}</label>
              <input id="user" name="user" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="256" required autofocus>
              <label for="password">{texts.Password}</label>
              <input id="password" name="password" type="password" autocomplete="current-password" maxlength="{Users.MaxPasswordCharacters}" required>
              {target}
              <button>{texts.SignIn}</button>
            </form>
            <h2>{texts.OrWithKey}</h2>

            """;
        var keyField = byName.Length == 0 ? "autocomplete=\"current-password\" autofocus" : "autocomplete=\"off\"";
        var page = $$"""
            <!doctype html>
            <html lang="{{language}}">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>{{texts.SignIn}} - LlmOs</title>
              <link rel="icon" type="image/svg+xml" href="{{root}}/_content/LlmOs.Web/favicon.svg">
              <style>
                body { font-family: system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; background: #f5f6f8; color: #16181d }
                main { background: #fff; padding: 2rem; border-radius: .75rem; box-shadow: 0 1px 6px #0002; width: min(26rem, 80vw) }
                h1 { margin-top: 0 }
                h2 { font-size: 1rem; margin: 2rem 0 1rem; padding-top: 1.5rem; border-top: 1px solid #767b86 }
                label { display: block; margin: .8rem 0 .4rem }
                input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem; border-radius: .4rem; border: 1px solid #767b86 }
                button { margin-top: 1rem; background: #1f4fd8; color: #fff; border: 0; cursor: pointer }
                .fault { color: #a40000 }
                @media (prefers-color-scheme: dark) { body { background: #14161a; color: #e8eaee } main { background: #1d2026 } input { background: #14161a; color: inherit } .fault { color: #ff9a9a } }
              </style>
            </head>
            <body>
              <main>
                <h1>LlmOs</h1>
                {{(refusal is null ? "" : $"<p class=\"fault\" role=\"alert\">{refusal(texts)}</p>")}}
                {{byName}}<form method="post" action="{{root}}/login">
                  <label for="key">{{texts.Key}}</label>
                  <input id="key" name="key" type="password" {{keyField}} required>
                  {{target}}
                  <button>{{texts.SignIn}}</button>
                  <p>{{texts.KeyHelp}}</p>
                </form>
              </main>
            </body>
            </html>
            """;
        return TypedResults.Text(page, "text/html; charset=utf-8", statusCode: status);
    }

    /// <summary>
    /// Whether a form comes from this page in this browser: it repeats what the page's cookie holds. Asked where the headers do not
    /// say where a form comes from, as behind a proxy that changes the host's name.
    /// </summary>
    public static bool IsFromPage(HttpRequest request, IFormCollection form) =>
        request.Cookies[PageCookie] is { Length: MarkLength } mark
        && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(mark), Encoding.UTF8.GetBytes(form[PageField].ToString()));

    /// <summary>The page's mark in this browser: the one that it has, so that two open pages both work, or a new one.</summary>
    private static string MarkOf(HttpContext context)
    {
        if (context.Request.Cookies[PageCookie] is { Length: MarkLength } known && known.All(char.IsAsciiHexDigitLower))
        {
            return known;
        }

        var mark = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(MarkLength / 2));
        context.Response.Cookies.Append(PageCookie, mark, new CookieOptions
        {
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            Path = context.Request.PathBase.Add("/login"),
            IsEssential = true,
        });
        return mark;
    }

    public static bool IsLocal(string next) =>
        next.StartsWith('/') && !next.StartsWith("//", StringComparison.Ordinal) && !next.StartsWith("/\\", StringComparison.Ordinal) && !next.Any(char.IsControl);
}
