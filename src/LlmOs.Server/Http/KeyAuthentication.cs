using System.Security.Claims;
using System.Text.Encodings.Web;
using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Access;
using LlmOs.Server.InProcess;
using LlmOs.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace LlmOs.Server.Http;

/// <summary>
/// Who is calling: by <c>Authorization: Bearer</c>, by <c>x-api-key</c>, or by a browser's session. A session counts for
/// looking only, unless the request carries <see cref="ConsoleHeader"/>, which no foreign page can add.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options,
    ILoggerFactory loggers,
    UrlEncoder encoder,
    CallerCheck check,
    ApiKeys keys,
    Users users,
    Sessions sessions,
    OpenDoor door) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string Name = "key";
    public const string Session = "session";
    public const string ConsoleHeader = "x-llmos-console";
    public const string KeyClaim = CallerClaims.KeyId;
    public const string ScopeClaim = SessionClaims.Scope;

    /// <param name="session">The id of the session through which the caller comes; null: by key.</param>
    public static ClaimsPrincipal PrincipalOf(Caller caller, string scheme, string? session)
    {
        var identity = new ClaimsIdentity([new(KeyClaim, caller.KeyId), new(ClaimTypes.Name, caller.Name), .. caller.Scopes.Select(scope => new Claim(ScopeClaim, scope))], scheme);
        if (caller.Stamp is not null)
        {
            identity.AddClaim(new Claim(SessionClaims.Stamp, caller.Stamp));
        }

        if (session is not null)
        {
            identity.AddClaim(new Claim(SessionClaims.Id, session));
        }

        return new ClaimsPrincipal(identity);
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (Health.IsProbe(Request.Path))
        {
            return AuthenticateResult.NoResult(); // also with a key, which cannot be looked up while the database is away
        }

        if (door.IsOpen)
        {
            return Success(Caller.Nobody);
        }

        if (Context.Features.Get<InProcessCaller>() is { } person)
        {
            return await OfSessionAsync(person.KeyId, person.Stamp, person.Session);
        }

        if (PresentedKey() is { } presented)
        {
            return await check.ByKeyAsync(presented, Context.Connection.RemoteIpAddress, Context.RequestAborted) is { } caller
                ? Success(caller)
                : Refuse("The key is unknown, revoked or expired.");
        }

        return await SessionAsync();
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        if (HttpMethods.IsGet(Request.Method) && Request.GetTypedHeaders().Accept.Any(accept => accept.MediaType == "text/html"))
        {
            Response.Redirect($"/login?next={Uri.EscapeDataString(Request.Path + Request.QueryString)}");
            return Task.CompletedTask;
        }

        Response.StatusCode = StatusCodes.Status401Unauthorized;
        Response.Headers.WWWAuthenticate = "Bearer";
        return Task.CompletedTask;
    }

    private string? PresentedKey()
    {
        const string Bearer = "Bearer ";
        var authorization = Request.Headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[Bearer.Length..].Trim();
        }

        return Request.Headers["x-api-key"].ToString() is { Length: > 0 } key ? key.Trim() : null;
    }

    private async Task<AuthenticateResult> SessionAsync()
    {
        var session = await Context.AuthenticateAsync(Session);
        if (!session.Succeeded)
        {
            return AuthenticateResult.NoResult();
        }

        if (!HttpMethods.IsGet(Request.Method) && !HttpMethods.IsHead(Request.Method) && !Request.Headers.ContainsKey(ConsoleHeader) && !IsOwnCircuit)
        {
            return Refuse($"A browser's session alone does not allow {Request.Method}.");
        }

        var person = session.Principal;
        return await OfSessionAsync(person.FindFirstValue(KeyClaim), person.FindFirstValue(SessionClaims.Stamp), person.FindFirstValue(SessionClaims.Id));
    }

    /// <summary>The console's page asks for its circuit by a POST that carries no header of ours; its origin tells that it is our page.</summary>
    private bool IsOwnCircuit => Request.Path.StartsWithSegments(ConsoleSetup.CircuitPath) && LoginEndpoints.IsOwnPage(Request);

    /// <summary>A session is as good as what it was begun with: the key must still stand, the user be unchanged.</summary>
    private async Task<AuthenticateResult> OfSessionAsync(string? id, string? stamp, string? session)
    {
        if (id is null || session is null || !await sessions.IsOpenAsync(session, id, Context.RequestAborted))
        {
            return Refuse("This session has ended: somebody signed out, or it is too old.", "Sign in again at /login.");
        }

        if (id.StartsWith(User.Mark, StringComparison.Ordinal))
        {
            return await users.FindAsync(id, stamp, Context.RequestAborted) is { } person
                ? Success(person, session)
                : Refuse("This session has ended: its user was changed, disabled or deleted.", "Sign in again at /login.");
        }

        return await keys.FindByIdAsync(id, Context.RequestAborted) is { } caller
            ? Success(caller, session)
            : Refuse("The key of this session has been revoked or has expired.");
    }

    private AuthenticateResult Success(Caller caller, string? session = null) =>
        AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(caller, Scheme.Name, session), Scheme.Name));

    private AuthenticateResult Refuse(string message, string hint = "Send a valid key as 'Authorization: Bearer llmos_sk_...'.")
    {
        Context.Items[ProblemHandler.RefusalKey] = new LlmOsException(ErrorCode.InvalidApiKey, message) { Hint = hint };
        return AuthenticateResult.Fail(message);
    }
}
