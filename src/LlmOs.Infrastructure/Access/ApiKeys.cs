using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace LlmOs.Infrastructure.Access;

/// <summary>Who a key or a session stands for.</summary>
/// <param name="KeyId">The key's id, or the user's.</param>
public sealed record Caller(string KeyId, string Name, IReadOnlyList<string> Scopes)
{
    /// <summary>Of a user: what their session has to hold. See <see cref="User.Stamp"/>.</summary>
    public string? Stamp { get; init; }

    /// <summary>Everybody, where keys are switched off.</summary>
    public static Caller Nobody { get; } = new("none", "keys are off", [Access.Scopes.Admin]);
}

/// <summary>A new admin key.</summary>
/// <param name="Key">Shown this once.</param>
/// <param name="OtherAdminKeys">How many others still work.</param>
public sealed record AdminKey(string Id, string Key, int OtherAdminKeys);

/// <summary>Makes, finds and revokes keys.</summary>
public sealed class ApiKeys(IDbContextFactory<LlmOsDb> databases, LlmOsSettings settings, KeyUse use, TimeProvider clock) : IDisposable
{
    private const string SecretName = "api-keys";
    private const int MaxRemembered = 10_000;
    private static readonly TimeSpan UseInterval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (ApiKey Key, DateTimeOffset Until)> _remembered = new();
    private readonly SemaphoreSlim _secretGate = new(1);
    private byte[]? _secret;
    private long _revocations;

    /// <summary>
    /// How long a key is trusted without reading it again. With SQLite this server makes every revocation itself. With
    /// PostgreSQL another host may revoke a key; that must take effect within half a second.
    /// </summary>
    private TimeSpan Remember => settings.Database is null ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(500);

    /// <summary>Makes a key; the answer is the only place where it can be read.</summary>
    /// <param name="scopes">See <see cref="Scopes"/>; an unknown one is refused.</param>
    /// <param name="expiresAt">From when on it is refused; null: never.</param>
    /// <param name="madeBy">The id of the key or user who asks for it.</param>
    public async Task<CreatedKey> CreateAsync(string name, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, string? madeBy, CancellationToken cancel)
    {
        if (scopes.Count == 0 || !scopes.All(Scopes.IsKnown))
        {
            throw LlmOsException.Invalid("scopes", Scopes.Expected);
        }

        if (expiresAt <= clock.GetUtcNow())
        {
            throw LlmOsException.Invalid("expires_at", "expires_at: lies in the past.");
        }

        var (id, key) = ApiKey.Generate();
        await StoreAsync(id, name, key, PrefixOf(key), scopes, expiresAt, madeBy, cancel);
        return new CreatedKey(id, key, PrefixOf(key));
    }

    /// <summary>Whom a presented key stands for; null when it is unknown, revoked or expired.</summary>
    public async Task<Caller?> FindAsync(string presented, CancellationToken cancel)
    {
        if (presented.Length is 0 or > 256)
        {
            return null;
        }

        var hash = ApiKey.HashOf(presented, await SecretAsync(cancel));
        var now = clock.GetUtcNow();
        if (!_remembered.TryGetValue(hash, out var known) || known.Until <= now)
        {
            var revocations = Interlocked.Read(ref _revocations);
            if (await LoadAsync(presented, hash, cancel) is not { } key)
            {
                return null;
            }

            known = (key, now + Remember);

            // A revocation while the row was being read may have missed it.
            if (revocations == Interlocked.Read(ref _revocations))
            {
                if (_remembered.Count >= MaxRemembered)
                {
                    _remembered.Clear();
                }

                _remembered[hash] = known;
            }
        }

        return known.Key.IsGood(now) ? CallerOf(known.Key) : null;
    }

    /// <summary>Whether this host has seen the key being good; it need not be so any more.</summary>
    public async ValueTask<bool> IsKnownAsync(string presented, CancellationToken cancel) =>
        presented.Length is > 0 and <= 256 && _remembered.ContainsKey(ApiKey.HashOf(presented, await SecretAsync(cancel)));

    /// <summary>Whether a key is still good, by its id: for sessions that were begun with it.</summary>
    public async Task<Caller?> FindByIdAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Id == id, cancel);
        return key is not null && key.IsGood(clock.GetUtcNow()) ? CallerOf(key) : null;
    }

    /// <summary>Makes a key worthless, at once on this host. Refuses the last admin key, after which nobody could make another.</summary>
    public async Task RevokeAsync(string id, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await EnterAsync(db, cancel);
        var now = clock.GetUtcNow();
        var key = await db.ApiKeys.SingleOrDefaultAsync(k => k.Id == id && k.RevokedAt == null, cancel) ?? throw LlmOsException.NotFound("key", id, "/api/v1/keys");
        if (IsAdmin(key))
        {
            var others = await db.ApiKeys.AsNoTracking().Where(k => k.Id != id && k.RevokedAt == null && k.ExpiresAt == null).ToListAsync(cancel);
            if (!others.Any(IsAdmin))
            {
                throw new LlmOsException(ErrorCode.Conflict, "This is the last admin key that does not expire.") { Hint = "Make another admin key first." };
            }
        }

        key.RevokedAt = now;
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);

        Interlocked.Increment(ref _revocations);
        _remembered.TryRemove(key.Hash, out _);
    }

    /// <summary>
    /// Begins a transaction that takes rights away. It locks a row that all of them have in common: of two who revoke the last two
    /// admin keys, or take two scopes from one key, the second sees what the first did.
    /// </summary>
    private async Task<IDbContextTransaction> EnterAsync(LlmOsDb db, CancellationToken cancel)
    {
        await SecretAsync(cancel); // so that its row is there
        var transaction = await db.Database.BeginTransactionAsync(cancel);
        await db.ServerSecrets.Where(s => s.Name == SecretName).ExecuteUpdateAsync(set => set.SetProperty(s => s.Value, s => s.Value), cancel);
        return transaction;
    }

    /// <summary>Revokes what a user made, for one who leaves; the last admin key stays.</summary>
    /// <returns>The ids of the revoked keys.</returns>
    public async Task<IReadOnlyList<string>> RevokeMadeByAsync(string callerId, CancellationToken cancel)
    {
        List<string> ids;
        await using (var db = await databases.CreateDbContextAsync(cancel))
        {
            ids = await db.ApiKeys.Where(k => k.MadeBy == callerId && k.RevokedAt == null).Select(k => k.Id).ToListAsync(cancel);
        }

        foreach (var id in ids)
        {
            await RevokeAsync(id, cancel);
        }

        return ids;
    }

    /// <summary>Takes a scope from all keys that hold it; a key that holds no other is revoked. For scopes that begin or end, as those of apps.</summary>
    /// <param name="except">The id of a key that keeps it.</param>
    public async Task TakeScopeAsync(string scope, string? except, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        await using var transaction = await EnterAsync(db, cancel);
        var held = await db.ApiKeys.Where(k => k.RevokedAt == null && k.Id != except && k.Scopes.Contains(scope)).ToListAsync(cancel);
        foreach (var key in held)
        {
            var words = key.Scopes.Split(' ');
            var left = words.Where(word => word != scope).ToList();
            if (left.Count == words.Length)
            {
                continue; // another scope that only begins alike
            }

            if (left.Count == 0)
            {
                key.RevokedAt = clock.GetUtcNow();
            }
            else
            {
                key.Scopes = string.Join(' ', left);
            }
        }

        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        Interlocked.Increment(ref _revocations);
        held.ForEach(key => _remembered.TryRemove(key.Hash, out _));
    }

    /// <summary>Gives a new database its admin key. Call under the migration lock.</summary>
    /// <param name="show">Told a key that was made up, before it is stored: a process that is killed in between shows another at its next start.</param>
    public async Task EnsureAdminAsync(Action<string> show, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.ApiKeys.AnyAsync(cancel))
        {
            return;
        }

        if (settings.AdminKey is { } configured)
        {
            await StoreAsync(ApiKey.IdOf(configured) ?? "key_configured", "admin", configured, "(LLMOS_ADMIN_KEY)", [Scopes.Admin], null, null, cancel);
            return;
        }

        var (id, key) = ApiKey.Generate();
        show(key);
        await StoreAsync(id, "admin", key, PrefixOf(key), [Scopes.Admin], null, null, cancel);
    }

    /// <summary>Makes a further admin key, for who holds the data folder and has lost theirs.</summary>
    /// <param name="revokeOthers">Makes all other admin keys worthless.</param>
    public async Task<AdminKey> MakeAdminAsync(bool revokeOthers, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var now = clock.GetUtcNow();
        var others = (await db.ApiKeys.Where(k => k.RevokedAt == null && (k.ExpiresAt == null || k.ExpiresAt > now)).ToListAsync(cancel)).Where(IsAdmin).ToList();
        var made = await CreateAsync("admin (reset-key)", [Scopes.Admin], null, null, cancel);
        if (revokeOthers)
        {
            others.ForEach(key => key.RevokedAt = now);
            await db.SaveChangesAsync(cancel);
            Interlocked.Increment(ref _revocations);
            _remembered.Clear();
            others.Clear();
        }

        return new AdminKey(made.Id, made.Key, others.Count);
    }

    public void Dispose() => _secretGate.Dispose();

    private static string PrefixOf(string key) => key[..(ApiKey.Mark.Length + 12)];

    private static bool IsAdmin(ApiKey key) => key.Scopes.Split(' ').Contains(Scopes.Admin);

    private static Caller CallerOf(ApiKey key) => new(key.Id, key.Name, key.Scopes.Split(' '));

    private async Task StoreAsync(string id, string name, string key, string prefix, IReadOnlyList<string> scopes, DateTimeOffset? expiresAt, string? madeBy, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        db.Add(new ApiKey
        {
            Id = id,
            Name = name,
            Prefix = prefix,
            Hash = ApiKey.HashOf(key, await SecretAsync(cancel)),
            Scopes = string.Join(' ', scopes.Distinct(StringComparer.Ordinal)),
            CreatedAt = clock.GetUtcNow(),
            ExpiresAt = expiresAt,
            MadeBy = madeBy,
        });
        await db.SaveChangesAsync(cancel);
    }

    private async Task<ApiKey?> LoadAsync(string presented, string hash, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var id = ApiKey.IdOf(presented);
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => id != null ? k.Id == id : k.Hash == hash, cancel);
        if (key is null || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(key.Hash), Encoding.ASCII.GetBytes(hash)))
        {
            return null;
        }

        if (key.LastUsedAt is null || clock.GetUtcNow() - key.LastUsedAt > UseInterval)
        {
            use.Note(key.Id);
        }

        return key;
    }

    /// <summary>The secret of the database, made by the first host that needs it.</summary>
    private async Task<byte[]> SecretAsync(CancellationToken cancel)
    {
        if (_secret is { } known)
        {
            return known;
        }

        await _secretGate.WaitAsync(cancel);
        try
        {
            return _secret ??= await LoadSecretAsync(cancel);
        }
        finally
        {
            _secretGate.Release();
        }
    }

    private async Task<byte[]> LoadSecretAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.ServerSecrets.AsNoTracking().SingleOrDefaultAsync(s => s.Name == SecretName, cancel) is { } stored)
        {
            return stored.Value;
        }

        var made = new ServerSecret { Name = SecretName, Value = RandomNumberGenerator.GetBytes(32) };
        db.Add(made);
        try
        {
            await db.SaveChangesAsync(cancel);
            return made.Value;
        }
        catch (DbUpdateException e) when (e.IsUniqueViolation())
        {
            db.ChangeTracker.Clear();
            return (await db.ServerSecrets.AsNoTracking().SingleAsync(s => s.Name == SecretName, cancel)).Value;
        }
    }
}
