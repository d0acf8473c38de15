using System.Security.Claims;

namespace LlmOs.Infrastructure.Access;

/// <summary>Who asks, as the claims of a request say it.</summary>
public static class CallerClaims
{
    /// <summary>The claim that holds the id of the key, or of the user who signed in.</summary>
    public const string KeyId = "key_id";

    /// <summary>The id of the caller's key or user, for histories; null where keys are off.</summary>
    public static string? CallerId(this ClaimsPrincipal user) => user.FindFirst(KeyId)?.Value;

    /// <summary>Whether an id is a user's rather than a key's.</summary>
    public static bool IsUser(string callerId) => callerId.StartsWith(User.Mark, StringComparison.Ordinal);
}
