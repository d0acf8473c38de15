using LlmOs.Infrastructure.Access;
using Microsoft.AspNetCore.Authentication;

namespace LlmOs.Server.Http;

/// <summary>How a browser, which cannot send a key with a page, comes to a session: by handing in a name and a password, or a key, once.</summary>
internal static class LoginEndpoints
{
    public static void MapLogin(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/login", (string? next, HttpRequest request, Users users, CancellationToken cancel) => LoginPage.OfAsync(next, request, users, null, StatusCodes.Status200OK, cancel)).AllowAnonymous().ExcludeFromDescription();
        routes.MapPost("/login", LoginAsync).AllowAnonymous().ExcludeFromDescription().DisableAntiforgery();
        routes.MapPost("/logout", (Delegate)LogoutAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> LoginAsync(HttpContext context, ApiKeys keys, Users users, WrongSecrets wrong, CancellationToken cancel)
    {
        // Only pages of this server may sign a browser in.
        if (!IsOwnPage(context.Request) || !context.Request.HasFormContentType)
        {
            return TypedResults.BadRequest();
        }

        var form = await context.Request.ReadFormAsync(cancel);
        var next = form["next"].ToString();
        var address = $"{context.Connection.RemoteIpAddress}";
        if (wrong.AreTooMany(address))
        {
            context.Response.Headers.RetryAfter = "60";
            return await LoginPage.OfAsync(next, context.Request, users, texts => texts.TooManyWrongSecrets, StatusCodes.Status429TooManyRequests, cancel);
        }

        var key = form["key"].ToString().Trim();
        var caller = key.Length > 0
            ? await keys.FindAsync(key, cancel)
            : await users.SignInAsync(form["user"].ToString(), form["password"].ToString(), cancel);
        if (caller is null)
        {
            wrong.Count(address);
            return await LoginPage.OfAsync(next, context.Request, users, texts => key.Length > 0 ? texts.KeyRefused : texts.UserRefused, StatusCodes.Status401Unauthorized, cancel);
        }

        await context.SignInAsync(KeyAuthentication.Session, KeyAuthentication.PrincipalOf(caller, KeyAuthentication.Session));
        return TypedResults.LocalRedirect(LoginPage.IsLocal(next) ? next : "/");
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
}
