using System.Net;
using System.Net.Sockets;
using LlmOs.Contracts;

namespace LlmOs.Infrastructure.Access;

/// <summary>
/// Whom a key or a password from outside stands for, with limits to guessing. A right key always gets through: whoever guesses
/// beside it, behind the same proxy, only makes it wait for a few seconds the first time. Passwords are shorter, so there a right
/// one is refused too while its user's tries are used up.
/// </summary>
public sealed class CallerCheck(ApiKeys keys, Users users, WrongSecrets wrong, TimeProvider clock)
{
    /// <summary>Wrong keys a minute from one address.</summary>
    public const int KeysAMinute = 100;

    /// <summary>Wrong passwords a minute for one user from one address.</summary>
    public const int PasswordsAMinute = 10;

    private const int MaxNameCharacters = 256;
    private const int PasswordsOfUserAMinute = 60;
    private const int PasswordsOfAddressAMinute = 120;

    /// <returns>Null when the key is unknown, revoked or expired.</returns>
    /// <exception cref="LlmOsException">Too many wrong keys came from this address.</exception>
    public async Task<Caller?> ByKeyAsync(string presented, IPAddress? from, CancellationToken cancel)
    {
        // A key that was good here before is no guess, and one of our making holds too much chance to be guessed.
        if (await keys.IsKnownAsync(presented, cancel))
        {
            return await keys.FindAsync(presented, cancel);
        }

        var limit = ($"keys from {NameOf(from)}", KeysAMinute);
        var counted = wrong.TryCount(limit);
        if (!counted && ApiKey.IdOf(presented) is null)
        {
            await Task.Delay(wrong.NextTurn(limit.Item1) ?? throw TooMany("Too many wrong keys came from this address."), clock, cancel);
        }

        if (await keys.FindAsync(presented, cancel) is not { } caller)
        {
            return counted ? null : throw TooMany("Too many wrong keys came from this address.");
        }

        if (counted)
        {
            wrong.GiveBack(limit);
        }

        return caller;
    }

    /// <returns>Null when name and password fit nobody, or a user who is disabled.</returns>
    /// <exception cref="LlmOsException">Too many wrong passwords came for this user or from this address.</exception>
    public async Task<Caller?> ByPasswordAsync(string name, string password, IPAddress? from, CancellationToken cancel)
    {
        var (user, address) = (User.Normalize(name[..Math.Min(name.Length, MaxNameCharacters)]), NameOf(from));
        (string, int)[] limits =
        [
            ($"user {user} from {address}", PasswordsAMinute), ($"user {user}", PasswordsOfUserAMinute), ($"passwords from {address}", PasswordsOfAddressAMinute),
        ];
        if (!wrong.TryCount(limits))
        {
            throw TooMany("Too many wrong passwords came for this user or from this address.");
        }

        var caller = await users.SignInAsync(name, password, cancel);
        if (caller is not null)
        {
            wrong.GiveBack(limits);
        }

        return caller;
    }

    private static LlmOsException TooMany(string message) => new(ErrorCode.Overloaded, message) { Hint = "Wait a minute, then try again." };

    /// <summary>Of IPv6 the network: one customer has all addresses of it.</summary>
    private static string NameOf(IPAddress? address)
    {
        if (address is not { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false })
        {
            return $"{address}";
        }

        var bytes = address.GetAddressBytes();
        Array.Clear(bytes, 8, 8);
        return $"{new IPAddress(bytes)}/64";
    }
}
