using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Access;

/// <summary>A person who signs in to the console with a name and a password, both given by an admin.</summary>
public sealed partial class User
{
    /// <summary>What a user's id begins with; it stands where a key's id does, in sessions and histories.</summary>
    public const string Mark = "user_";

    /// <summary>Order of creation.</summary>
    public long Seq { get; set; }

    /// <summary><see cref="Mark"/> and 12 hex digits. A name may be given again after its user is deleted; an id never is.</summary>
    public required string Id { get; init; }

    /// <summary>In the form of <see cref="Normalize"/>.</summary>
    public required string Name { get; init; }

    /// <summary>PBKDF2 with its salt and its number of rounds, as <c>PasswordHasher</c> writes it.</summary>
    public required string PasswordHash { get; set; }

    /// <summary>Words separated by spaces.</summary>
    public required string Scopes { get; set; }

    /// <summary>A session holds the stamp that stood here when it began; another one ends it.</summary>
    public required string Stamp { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? LastSignInAt { get; set; }

    public DateTimeOffset? DisabledAt { get; set; }

    public UserView ToView() => new(Name, Scopes.Split(' '), CreatedAt, LastSignInAt, DisabledAt);

    /// <summary>A name as it is stored and looked up: spelt in one way only, so that two people cannot seem to be the same.</summary>
    public static string Normalize(string name)
    {
        var text = name.Trim();

        // The noncharacter U+FFFE and halves of surrogate pairs have no normal form; no user has such a name.
        return text.Contains('\uFFFE', StringComparison.Ordinal) || text.EnumerateRunes().Any(rune => rune == Rune.ReplacementChar)
            ? text
            : text.Normalize(NormalizationForm.FormKC).ToLowerInvariant();
    }

    /// <summary>Whether a name in its normal form may be given to a user.</summary>
    public static bool IsName(string name) => name != UserEndpoints.Oneself && Shape().IsMatch(name);

    public static string NewId() => Mark + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6));

    public static string NewStamp() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    [GeneratedRegex(@"^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@-]{0,63}$")]
    private static partial Regex Shape();
}
