using System.Security.Claims;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;

namespace LlmOs.Infrastructure.Files;

/// <summary>Whose files a request may see: its caller's own; an admin sees all, and so does everybody where keys are off.</summary>
/// <param name="Id">The key or user; null where keys are off.</param>
/// <param name="SeesAll">Whether files of others are there for it too.</param>
public sealed record FileOwner(string? Id, bool SeesAll)
{
    public static FileOwner Of(ClaimsPrincipal user)
    {
        var id = user.CallerId();
        return new FileOwner(id, id is null || user.HasClaim(SessionClaims.Scope, Scopes.Admin));
    }
}
