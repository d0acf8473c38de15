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
public sealed record KeyView(
    string Id,
    string Name,
    string Prefix,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? ExpiresAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? RevokedAt);
