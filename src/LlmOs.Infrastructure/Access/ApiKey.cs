using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Access;

/// <summary>
/// A key: <c>llmos_sk_</c>, 12 hex digits that find the row, and 43 characters of secret. The row holds only a hash.
/// A configured admin key has no such parts and is found by its hash.
/// </summary>
public sealed partial class ApiKey
{
    public const string Mark = "llmos_sk_";

    /// <summary>Order of creation.</summary>
    public long Seq { get; set; }

    /// <summary><c>key_</c> and the key's 12 hex digits.</summary>
    public required string Id { get; init; }

    public required string Name { get; init; }

    /// <summary>What may be shown of the key, so that its owner recognises it.</summary>
    public required string Prefix { get; init; }

    /// <summary>HMAC-SHA-256 of the whole key under the server's secret, in lower-case hex.</summary>
    public required string Hash { get; init; }

    /// <summary>Words separated by spaces.</summary>
    public required string Scopes { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; set; }

    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>The id of the key or user who made it; null for the first key, and for keys from before this was written down.</summary>
    public string? MadeBy { get; init; }

    public bool IsGood(DateTimeOffset now) => RevokedAt is null && (ExpiresAt is null || ExpiresAt > now);

    public KeyView ToView() => new(Id, Name, Prefix, Scopes.Split(' '), CreatedAt, ExpiresAt, LastUsedAt, RevokedAt, MadeBy);

    /// <summary>A new key's two parts. 256 bits of chance need no slow hash.</summary>
    public static (string Id, string Key) Generate()
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));
        return ($"key_{id}", $"{Mark}{id}_{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32))}");
    }

    /// <summary>The id within a key that was made here; null for any other text.</summary>
    public static string? IdOf(string key) => Shape().Match(key) is { Success: true } match ? $"key_{match.Groups[1].ValueSpan}" : null;

    public static string HashOf(string key, byte[] secret) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(key)));

    [GeneratedRegex("^llmos_sk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$")]
    private static partial Regex Shape();
}
