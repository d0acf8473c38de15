namespace LlmOs.Contracts;

/// <summary>What a session says of the person who is signed in, besides the name.</summary>
public static class SessionClaims
{
    /// <summary>One for each scope.</summary>
    public const string Scope = "scope";

    /// <summary>The session's own id; signing out makes it worthless.</summary>
    public const string Id = "session";

    /// <summary>Of a user, not of a key: changes when the sessions of the user end.</summary>
    public const string Stamp = "stamp";
}
