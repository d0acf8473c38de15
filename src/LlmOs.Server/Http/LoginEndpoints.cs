using LlmOs.Infrastructure.Access;
using LlmOs.Web;
using LlmOs.Web.Language;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace LlmOs.Server.Http;

/// <summary>How a browser, which cannot send a key with a page, comes to a session: by handing in a key once.</summary>
internal static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", (string? next, HttpRequest request) => Page(next, request, StatusCodes.Status200OK)).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/login", LoginAsync).AllowAnonymous().ExcludeFromDescription().DisableAntiforgery();
        routes.MapPost("/logout", (Delegate)LogoutAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> LoginAsync(HttpContext context, ApiKeys keys, WrongKeys wrong, CancellationToken cancel)
    {
        // Nobody signs this browser in but its own pages.
        if (!IsOwnPage(context.Request) || !context.Request.HasFormContentType)
        {
            return TypedResults.BadRequest();
        }

        var form = await context.Request.ReadFormAsync(cancel);
        var next = form["next"].ToString();
        var address = context.Connection.RemoteIpAddress;
        if (wrong.AreTooMany(address))
        {
            context.Response.Headers.RetryAfter = "60";
            return Page(next, context.Request, StatusCodes.Status429TooManyRequests);
        }

        if (await keys.FindAsync(form["key"].ToString().Trim(), cancel) is not { } caller)
        {
            wrong.Count(address);
            return Page(next, context.Request, StatusCodes.Status401Unauthorized);
        }

        await context.SignInAsync(KeyAuthentication.Session, KeyAuthentication.PrincipalOf(caller, KeyAuthentication.Session));
        return TypedResults.LocalRedirect(IsLocal(next) ? next : "/");
    }

    private static async Task<IResult> LogoutAsync(HttpContext context)
    {
        if (!IsOwnPage(context.Request))
        {
            return TypedResults.BadRequest();
        }

        await context.SignOutAsync(KeyAuthentication.Session);
        return TypedResults.LocalRedirect("/login");
    }

    internal static bool IsOwnPage(HttpRequest request)
    {
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site)
        {
            return site is "same-origin" or "none";
        }

        var origin = request.Headers.Origin.ToString();
        return origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var uri) && uri.Authority == request.Host.Value);
    }

    private static bool IsLocal(string next) =>
        next.StartsWith('/') && !next.StartsWith("//", StringComparison.Ordinal) && !next.StartsWith("/\\", StringComparison.Ordinal) && !next.Any(char.IsControl);

    private static ContentHttpResult Page(string? next, HttpRequest request, int status)
    {
        var language = Look.Of(request).Language;
        var texts = Texts.Of(language);
        var refusal = status switch
        {
            StatusCodes.Status401Unauthorized => texts.KeyRefused,
            StatusCodes.Status429TooManyRequests => texts.TooManyWrongKeys,
            _ => null,
        };
        var target = System.Net.WebUtility.HtmlEncode(next is not null && IsLocal(next) ? next : "/");
        var page = $$"""
            <!doctype html>
            <html lang="{{language}}">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <title>{{texts.SignIn}} - LlmOs</title>
              <link rel="icon" type="image/svg+xml" href="/_content/LlmOs.Web/favicon.svg">
              <style>
                body { font-family: system-ui, sans-serif; display: grid; place-items: center; min-height: 90vh; margin: 0; background: #f5f6f8; color: #16181d }
                form { background: #fff; padding: 2rem; border-radius: .75rem; box-shadow: 0 1px 6px #0002; width: min(26rem, 80vw) }
                label { display: block; margin-bottom: .4rem }
                input, button { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem; border-radius: .4rem; border: 1px solid #767b86 }
                button { margin-top: 1rem; background: #1f4fd8; color: #fff; border: 0; cursor: pointer }
                .fault { color: #a40000 }
                @media (prefers-color-scheme: dark) { body { background: #14161a; color: #e8eaee } form { background: #1d2026 } input { background: #14161a; color: inherit } .fault { color: #ff9a9a } }
              </style>
            </head>
            <body>
              <form method="post" action="/login">
                <h1>LlmOs</h1>
                {{(refusal is null ? "" : $"<p class=\"fault\" role=\"alert\">{refusal}</p>")}}
                <label for="key">{{texts.Key}}</label>
                <input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
                <input type="hidden" name="next" value="{{target}}">
                <button>{{texts.SignIn}}</button>
                <p>{{texts.KeyHelp}}</p>
              </form>
            </body>
            </html>
            """;
        return TypedResults.Text(page, "text/html; charset=utf-8", statusCode: status);
    }
}
