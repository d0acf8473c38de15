using System.ComponentModel.DataAnnotations;

namespace LlmOs.Contracts;

/// <summary>Asks for a key.</summary>
public sealed record CreateKeyRequest
{
    /// <summary>For people: who or what uses it.</summary>
    [StringLength(100, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>Some of <c>admin</c>, <c>inference</c>, <c>read</c> and <c>app:{slug}</c>; default <c>inference</c>.</summary>
    [Length(1, 32), TextLength(80)]
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>From when on it is refused; null: never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A new key. <see cref="Key"/> is shown here and never again.</summary>
public sealed record CreatedKey(string Id, string Key, string Prefix);

/// <summary>A key without its secret.</summary>
/// <param name="MadeBy">The key or user (<c>user_...</c>) who made it; null for the first key. A key outlives whoever made it.</param>
public sealed record KeyView(
    string Id,
    string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt,
    string? MadeBy);

/// <summary>Asks for a user, who signs in to the console with a name and a password.</summary>
public sealed record CreateUserRequest
{
    /// <summary>Letters, digits, dots, dashes, underscores and @; capitals make no difference.</summary>
    [StringLength(64, MinimumLength = 1)]
    public required string Name { get; init; }

    /// <summary>10 to 256 characters.</summary>
    [StringLength(256, MinimumLength = 10)]
    public required string Password { get; init; }

    /// <summary>Some of <c>admin</c>, <c>inference</c>, <c>read</c> and <c>app:{slug}</c>; default <c>inference</c> and <c>read</c>. The console needs <c>read</c>.</summary>
    [Length(1, 32), TextLength(80)]
    public IReadOnlyList<string>? Scopes { get; init; }
}

/// <summary>An admin's change of a user. What is null stays as it is.</summary>
public sealed record ChangeUserRequest
{
    /// <summary>A new password, of 10 to 256 characters.</summary>
    [StringLength(256, MinimumLength = 10)]
    public string? Password { get; init; }

    /// <summary>All that the user may do from now on.</summary>
    [Length(1, 32), TextLength(80)]
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>True: cannot sign in until it is set to false.</summary>
    public bool? Disabled { get; init; }
}

/// <summary>A user's change of their own password.</summary>
public sealed record ChangePasswordRequest
{
    [StringLength(256, MinimumLength = 1)]
    public required string CurrentPassword { get; init; }

    /// <summary>10 to 256 characters.</summary>
    [StringLength(256, MinimumLength = 10)]
    public required string NewPassword { get; init; }
}

/// <summary>A user without the password.</summary>
public sealed record UserView(
    string Name,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastSignInAt,
    DateTimeOffset? DisabledAt);
