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
    ApiKeys keys,
    Users users,
    OpenDoor door) : AuthenticationHandler<AuthenticationSchemeOptions>(options, loggers, encoder)
{
    public const string Name = "key";
    public const string Session = "session";
    public const string ConsoleHeader = "x-llmos-console";
    public const string KeyClaim = CallerClaims.KeyId;
    public const string ScopeClaim = SessionClaims.Scope;

    public static ClaimsPrincipal PrincipalOf(Caller caller, string scheme) => new(new ClaimsIdentity(
        [new(KeyClaim, caller.KeyId), new(ClaimTypes.Name, caller.Name), .. caller.Scopes.Select(scope => new Claim(ScopeClaim, scope)), .. caller.Stamp is { } stamp ? [new Claim(SessionClaims.Stamp, stamp)] : Array.Empty<Claim>()],
        scheme));

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (door.IsOpen)
        {
            return Success(Caller.Nobody);
        }

        if (Context.Features.Get<InProcessCaller>() is { } person)
        {
            return await OfSessionAsync(person.KeyId, person.Stamp);
        }

        if (PresentedKey() is { } presented)
        {
            return await keys.FindAsync(presented, Context.RequestAborted) is { } caller
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

        return await OfSessionAsync(session.Principal.FindFirstValue(KeyClaim), session.Principal.FindFirstValue(SessionClaims.Stamp));
    }

    /// <summary>The console's page asks for its circuit by a POST that carries no header of ours; its origin tells that it is our page.</summary>
    private bool IsOwnCircuit => Request.Path.StartsWithSegments(ConsoleSetup.CircuitPath) && LoginEndpoints.IsOwnPage(Request);

    /// <summary>A session is as good as what it was begun with: the key must still stand, the user be unchanged.</summary>
    private async Task<AuthenticateResult> OfSessionAsync(string? id, string? stamp)
    {
        if (id?.StartsWith(User.Mark, StringComparison.Ordinal) is true)
        {
            return await users.FindAsync(id, stamp, Context.RequestAborted) is { } person
                ? Success(person)
                : Refuse("This session has ended: its user was changed, disabled or deleted.", "Sign in again at /login.");
        }

        return id is not null && await keys.FindByIdAsync(id, Context.RequestAborted) is { } caller
            ? Success(caller)
            : Refuse("The key of this session has been revoked or has expired.");
    }

    private AuthenticateResult Success(Caller caller) =>
        AuthenticateResult.Success(new AuthenticationTicket(PrincipalOf(caller, Scheme.Name), Scheme.Name));

    private AuthenticateResult Refuse(string message, string hint = "Send a valid key as 'Authorization: Bearer llmos_sk_...'.")
    {
        Context.Items[ProblemHandler.RefusalKey] = new LlmOsException(ErrorCode.InvalidApiKey, message) { Hint = hint };
        return AuthenticateResult.Fail(message);
    }
}
