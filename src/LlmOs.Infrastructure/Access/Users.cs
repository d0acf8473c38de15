using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Access;

/// <summary>Makes and changes users, and signs them in. Every change of what a user may do ends their sessions.</summary>
public sealed class Users(IDbContextFactory<LlmOsDb> databases, WrongSecrets wrong, TimeProvider clock)
{
    /// <summary>More characters are refused before they cost a hash.</summary>
    public const int MaxPasswordCharacters = 256;

    private const int MaxUsers = 10_000;

    private readonly PasswordHasher<string> _hasher = new();

    /// <summary>What a name that nobody has is compared with, so that it takes as long to be refused.</summary>
    private readonly string _nobodysHash = new PasswordHasher<string>().HashPassword("", User.NewStamp());

    public async Task<UserView> CreateAsync(CreateUserRequest request, CancellationToken cancel)
    {
        var name = User.Normalize(request.Name);
        if (!User.IsName(name))
        {
            throw LlmOsException.Invalid("name", $"name: expected up to 64 letters, digits, dots, dashes, underscores and @, beginning with a letter or digit; '{UserEndpoints.Oneself}' is taken.");
        }

        var user = new User
        {
            Id = User.NewId(),
            Name = name,
            PasswordHash = _hasher.HashPassword(name, request.Password),
            Scopes = Joined(request.Scopes ?? [Scopes.Inference, Scopes.Read]),
            Stamp = User.NewStamp(),
            CreatedAt = clock.GetUtcNow(),
        };
        await using var db = await databases.CreateDbContextAsync(cancel);
        if (await db.Users.CountAsync(cancel) >= MaxUsers)
        {
            throw new LlmOsException(ErrorCode.Conflict, $"There are {MaxUsers} users, which is the most.") { Hint = "Delete one that is not needed any more." };
        }

        db.Add(user);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException e) when (e.IsUniqueViolation())
        {
            throw new LlmOsException(ErrorCode.Conflict, $"There is a user '{name}' already.") { Field = "name", Hint = "Choose another name, or change that user." };
        }

        return user.ToView();
    }

    /// <summary>An admin's change; the user's sessions end, as the rights that they were begun with are gone.</summary>
    public async Task<UserView> ChangeAsync(string name, ChangeUserRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var normal = User.Normalize(name);
        var user = await db.Users.SingleOrDefaultAsync(u => u.Name == normal, cancel) ?? throw LlmOsException.NotFound("user", name, "/api/v1/users");
        user.PasswordHash = request.Password is { } password ? _hasher.HashPassword(user.Name, password) : user.PasswordHash;
        user.Scopes = request.Scopes is { } scopes ? Joined(scopes) : user.Scopes;
        user.DisabledAt = request.Disabled switch
        {
            true => user.DisabledAt ?? clock.GetUtcNow(),
            false => null,
            null => user.DisabledAt,
        };
        user.Stamp = User.NewStamp();
        await db.SaveChangesAsync(cancel);
        return user.ToView();
    }

    /// <summary>A user's own change of password; all their sessions end, this one too.</summary>
    /// <param name="id">Of the caller.</param>
    public async Task ChangePasswordAsync(string id, ChangePasswordRequest request, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id && u.DisabledAt == null, cancel)
            ?? throw new LlmOsException(ErrorCode.PermissionDenied, "Only a user has a password; this request was made with a key.") { Hint = "Sign in to the console with a name and a password, and change it there." };
        var limit = ($"change by {id}", CallerCheck.PasswordsAMinute);
        if (!wrong.TryCount(limit))
        {
            throw new LlmOsException(ErrorCode.Overloaded, "Too many wrong passwords were sent for this user.") { Field = "current_password", Hint = "Wait a minute, then try again." };
        }

        if (_hasher.VerifyHashedPassword(user.Name, user.PasswordHash, request.CurrentPassword) == PasswordVerificationResult.Failed)
        {
            throw LlmOsException.Invalid("current_password", "current_password: is not the password of this user.");
        }

        wrong.GiveBack(limit);

        // Do not overwrite a change that an admin made while the password was being verified.
        var (hash, stamp) = (_hasher.HashPassword(user.Name, request.NewPassword), User.NewStamp());
        if (await db.Users.Where(u => u.Id == id && u.Stamp == user.Stamp && u.DisabledAt == null)
            .ExecuteUpdateAsync(set => set.SetProperty(u => u.PasswordHash, hash).SetProperty(u => u.Stamp, stamp), cancel) == 0)
        {
            throw new LlmOsException(ErrorCode.Conflict, "This user was changed at the same time.") { Hint = "Sign in again, then change the password." };
        }
    }

    /// <param name="keys">Revokes the keys that the user made; null: they stay.</param>
    public async Task DeleteAsync(string name, ApiKeys? keys, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        var normal = User.Normalize(name);
        if (keys is not null && await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Name == normal, cancel) is { } leaving)
        {
            await keys.RevokeMadeByAsync(leaving.Id, cancel); // before the user: should it be refused, both are still there
        }

        if (await db.Users.Where(u => u.Name == normal).ExecuteDeleteAsync(cancel) == 0)
        {
            throw LlmOsException.NotFound("user", name, "/api/v1/users");
        }
    }

    /// <summary>Whether anybody could sign in with a password.</summary>
    public async Task<bool> AnyAsync(CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Users.AnyAsync(cancel);
    }

    /// <summary>Whom a name and a password stand for; null when they fit nobody, or a user who is disabled.</summary>
    public async Task<Caller?> SignInAsync(string name, string password, CancellationToken cancel)
    {
        if (name.Length is 0 or > 256 || password.Length is 0 or > MaxPasswordCharacters)
        {
            return null;
        }

        await using var db = await databases.CreateDbContextAsync(cancel);
        var normal = User.Normalize(name);
        var user = await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Name == normal, cancel);
        var verdict = _hasher.VerifyHashedPassword(normal, user?.PasswordHash ?? _nobodysHash, password);
        if (user is null || user.DisabledAt is not null || verdict == PasswordVerificationResult.Failed)
        {
            return null;
        }

        var rehashed = verdict == PasswordVerificationResult.SuccessRehashNeeded ? _hasher.HashPassword(user.Name, password) : user.PasswordHash;
        var now = clock.GetUtcNow();

        try
        {
            // Only while the password is the one that was verified: an admin may be changing it at this moment.
            await db.Users.Where(u => u.Id == user.Id && u.PasswordHash == user.PasswordHash)
                .ExecuteUpdateAsync(set => set.SetProperty(u => u.LastSignInAt, now).SetProperty(u => u.PasswordHash, rehashed), cancel);
        }
        catch (Exception e) when (DatabaseFaults.AsRefusal(e) is not null)
        {
            // Who may come in comes in, also while the database takes no writes.
        }

        return CallerOf(user);
    }

    /// <summary>Whom a session stands for; null when it has ended, as the user was disabled, deleted or changed.</summary>
    public async Task<Caller?> FindAsync(string id, string? stamp, CancellationToken cancel)
    {
        await using var db = await databases.CreateDbContextAsync(cancel);
        return await db.Users.AsNoTracking().SingleOrDefaultAsync(u => u.Id == id && u.Stamp == stamp && u.DisabledAt == null, cancel) is { } user
            ? CallerOf(user)
            : null;
    }

    private static Caller CallerOf(User user) => new(user.Id, user.Name, user.Scopes.Split(' ')) { Stamp = user.Stamp };

    private static string Joined(IReadOnlyList<string> scopes) => scopes.All(Scopes.IsKnown)
        ? string.Join(' ', scopes.Distinct(StringComparer.Ordinal))
        : throw LlmOsException.Invalid("scopes", Scopes.Expected);
}
