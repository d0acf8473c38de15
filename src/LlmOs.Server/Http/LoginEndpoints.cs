using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
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
        routes.MapPost("/logout", LogoutAsync).AllowAnonymous().ExcludeFromDescription();
    }

    private static async Task<IResult> LoginAsync(HttpContext context, CallerCheck check, Users users, Sessions sessions, CancellationToken cancel)
    {
        var request = context.Request;
        if (!request.HasFormContentType)
        {
            return TypedResults.BadRequest();
        }

        // Only pages of this server may sign a browser in.
        var form = await request.ReadFormAsync(cancel);
        var next = form["next"].ToString();
        if (!IsOwnPage(request) && !LoginPage.IsFromPage(request, form))
        {
            return await LoginPage.OfAsync(next, request, users, texts => texts.SignInAgain, StatusCodes.Status400BadRequest, cancel);
        }

        var key = form["key"].ToString().Trim();
        Caller? caller;
        try
        {
            caller = key.Length > 0
                ? await check.ByKeyAsync(key, context.Connection.RemoteIpAddress, cancel)
                : await check.ByPasswordAsync(form["user"].ToString(), form["password"].ToString(), context.Connection.RemoteIpAddress, cancel);
        }
        catch (LlmOsException refusal) when (refusal.Code == ErrorCode.Overloaded)
        {
            context.Response.Headers.RetryAfter = "60";
            return await LoginPage.OfAsync(next, request, users, texts => texts.TooManyWrongSecrets, StatusCodes.Status429TooManyRequests, cancel);
        }

        if (caller is null)
        {
            return await LoginPage.OfAsync(next, request, users, texts => key.Length > 0 ? texts.KeyRefused : texts.UserRefused, StatusCodes.Status401Unauthorized, cancel);
        }

        var session = await sessions.BeginAsync(caller.KeyId, cancel);
        await context.SignInAsync(KeyAuthentication.Session, KeyAuthentication.PrincipalOf(caller, KeyAuthentication.Session, session));
        return TypedResults.LocalRedirect(LoginPage.IsLocal(next) ? next : "/");
    }

    private static async Task<IResult> LogoutAsync(HttpContext context, Sessions sessions)
    {
        if (!IsOwnPage(context.Request))
        {
            return TypedResults.BadRequest();
        }

        if ((await context.AuthenticateAsync(KeyAuthentication.Session)).Principal?.FindFirstValue(SessionClaims.Id) is { } session)
        {
            await sessions.EndAsync(session, CancellationToken.None);
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
