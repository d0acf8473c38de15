using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Storage;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;

namespace LlmOs.Infrastructure.Tests.Access;

public sealed class ApiKeysTests(TestDatabases databases)
{
    private readonly FakeClock _clock = new();

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_key_is_found_by_its_secret_and_stored_without_it(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        using var use = new KeyUse(database, _clock, NullLogger<KeyUse>.Instance);
        using var keys = new ApiKeys(database, database.Settings, use, _clock);

        var made = await keys.CreateAsync("laptop", [Scopes.Inference, Scopes.App("stories")], null, null, CancellationToken.None);
        var caller = await keys.FindAsync(made.Key, CancellationToken.None);
        await use.WriteAsync(CancellationToken.None);

        Assert.Matches("^llmos_sk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$", made.Key);
        Assert.StartsWith(made.Prefix, made.Key, StringComparison.Ordinal);
        Assert.Equal(made.Id, caller?.KeyId);
        Assert.Equal(["inference", "app:stories"], caller?.Scopes);
        await using var db = database.CreateDbContext();
        var row = await db.ApiKeys.SingleAsync();
        var secret = made.Key[^43..];
        Assert.DoesNotContain(secret, $"{row.Id}{row.Prefix}{row.Hash}{row.Name}", StringComparison.Ordinal);
        Assert.Equal(_clock.GetUtcNow(), row.LastUsedAt);
    }

    [Fact]
    public async Task Keys_that_ended_long_ago_are_forgotten()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        using var use = new KeyUse(database, _clock, NullLogger<KeyUse>.Instance);
        using var keys = new ApiKeys(database, database.Settings, use, _clock);
        var revoked = await keys.CreateAsync("revoked", [Scopes.Read], null, null, CancellationToken.None);
        await keys.RevokeAsync(revoked.Id, CancellationToken.None);
        await keys.CreateAsync("expired", [Scopes.Read], _clock.GetUtcNow().AddDays(1), null, CancellationToken.None);
        await keys.CreateAsync("good", [Scopes.Read], null, null, CancellationToken.None);

        _clock.Advance(KeyUse.KeptFor);
        await use.ForgetAsync(CancellationToken.None);
        Assert.Equal(3, await CountAsync());
        _clock.Advance(TimeSpan.FromDays(2));
        await use.ForgetAsync(CancellationToken.None);
        Assert.Equal(1, await CountAsync());

        async Task<int> CountAsync()
        {
            await using var db = database.CreateDbContext();
            return await db.ApiKeys.CountAsync();
        }
    }

    /// <summary>As a full disk lets it be: the file can be read, and nothing can be written.</summary>
    [Fact]
    public async Task A_key_opens_the_door_while_the_database_takes_no_writes()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        using var keys = Keys(database);
        var made = await keys.CreateAsync("laptop", [Scopes.Read], null, null, CancellationToken.None);
        await using var other = database.CreateDbContext();
        await other.Database.ExecuteSqlRawAsync("create trigger full before update on api_keys begin select raise(fail, 'database or disk is full'); end");

        using var fresh = Keys(database);
        Assert.NotNull(await fresh.FindAsync(made.Key, CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_hundred_revocations_at_once_all_succeed_and_one_admin_key_stays(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        using var keys = Keys(database);
        List<string> plain = [], admins = [];
        for (var i = 0; i < 50; i++)
        {
            plain.Add((await keys.CreateAsync($"plain {i}", [Scopes.Read], null, null, CancellationToken.None)).Id);
            admins.Add((await keys.CreateAsync($"admin {i}", [Scopes.Admin], null, null, CancellationToken.None)).Id);
        }

        var refusals = await Task.WhenAll(plain.Concat(admins).Select(id => Task.Run(async () =>
        {
            try
            {
                await keys.RevokeAsync(id, CancellationToken.None);
                return null;
            }
            catch (LlmOsException refusal)
            {
                return refusal;
            }
        })));

        Assert.Equal(ErrorCode.Conflict, Assert.Single(refusals.OfType<LlmOsException>()).Code);
        await using var db = database.CreateDbContext();
        Assert.Equal(Scopes.Admin, await db.ApiKeys.Where(k => k.RevokedAt == null).Select(k => k.Scopes).SingleAsync());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Scopes_of_thirty_apps_that_are_deleted_at_once_are_taken_from_every_key(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        using var keys = Keys(database);
        var apps = Enumerable.Range(0, 30).Select(i => Scopes.App($"a{i}")).ToList();
        for (var i = 0; i < 5; i++)
        {
            await keys.CreateAsync($"visitor {i}", [.. apps], null, null, CancellationToken.None);
        }

        await Task.WhenAll(apps.Select(app => Task.Run(() => keys.TakeScopeAsync(app, except: null, CancellationToken.None))));

        await using var db = database.CreateDbContext();
        Assert.False(await db.ApiKeys.AnyAsync(k => k.RevokedAt == null));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_lost_the_admin_key_makes_another_and_may_revoke_the_lost_one(bool revoke)
    {
        using var keys = Keys(await databases.NewAsync(Provider.Sqlite));
        var lost = await EnsureAdminAsync(keys);
        var reader = await keys.CreateAsync("reader", [Scopes.Read], null, null, CancellationToken.None);

        var made = await keys.MakeAdminAsync(revoke, CancellationToken.None);

        Assert.Equal(revoke ? 0 : 1, made.OtherAdminKeys);
        Assert.Equal([Scopes.Admin], (await keys.FindAsync(made.Key, CancellationToken.None))?.Scopes);
        Assert.Equal(revoke, await keys.FindAsync(lost!, CancellationToken.None) is null);
        Assert.NotNull(await keys.FindAsync(reader.Key, CancellationToken.None));
    }

    /// <summary>What is not on the disk when the power goes comes back: a key that was revoked would open the door again.</summary>
    [Fact]
    public async Task What_guards_access_is_on_the_disk_when_it_is_answered()
    {
        var database = await databases.NewAsync(Provider.Sqlite);
        await using var strict = database.CreateDbContext();
        await using var relaxed = database.CreateDbContext();
        await strict.Database.OpenConnectionAsync();
        await relaxed.RelaxAsync(CancellationToken.None);

        Assert.Equal(2, await SynchronousAsync(strict)); // FULL
        Assert.Equal(1, await SynchronousAsync(relaxed)); // NORMAL

        await relaxed.DisposeAsync();
        await using var again = database.CreateDbContext(); // takes the same connection of the pool
        await again.Database.OpenConnectionAsync();
        Assert.Equal(2, await SynchronousAsync(again));

        static Task<int> SynchronousAsync(LlmOsDb db) => db.Database.SqlQueryRaw<int>("select synchronous as \"Value\" from pragma_synchronous").SingleAsync();
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Another_host_on_the_same_database_knows_the_key(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        using var here = Keys(database);
        using var there = Keys(database);

        var made = await here.CreateAsync("laptop", [Scopes.Read], null, null, CancellationToken.None);

        Assert.NotNull(await there.FindAsync(made.Key, CancellationToken.None));
    }

    [Fact]
    public async Task A_key_with_one_character_changed_is_unknown()
    {
        using var keys = Keys(await databases.NewAsync(Provider.Sqlite));
        var made = await keys.CreateAsync("laptop", [Scopes.Read], null, null, CancellationToken.None);
        var last = made.Key[^1];

        Assert.Null(await keys.FindAsync(made.Key[..^1] + (last == 'A' ? 'B' : 'A'), CancellationToken.None));
        Assert.Null(await keys.FindAsync("", CancellationToken.None));
        Assert.Null(await keys.FindAsync(new string('x', 5000), CancellationToken.None));
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_even_if_it_was_just_used()
    {
        using var keys = Keys(await databases.NewAsync(Provider.Sqlite));
        await EnsureAdminAsync(keys);
        var made = await keys.CreateAsync("laptop", [Scopes.Read], null, null, CancellationToken.None);
        Assert.NotNull(await keys.FindAsync(made.Key, CancellationToken.None));

        await keys.RevokeAsync(made.Id, CancellationToken.None);

        Assert.Null(await keys.FindAsync(made.Key, CancellationToken.None));
        Assert.Null(await keys.FindByIdAsync(made.Id, CancellationToken.None));
    }

    [Fact]
    public async Task A_key_that_another_host_revoked_is_refused_within_half_a_second()
    {
        var database = await databases.NewAsync(Provider.Postgres);
        using var here = Keys(database);
        using var there = Keys(database);
        var made = await here.CreateAsync("laptop", [Scopes.Read], null, null, CancellationToken.None);
        Assert.NotNull(await there.FindAsync(made.Key, CancellationToken.None));
        await here.RevokeAsync(made.Id, CancellationToken.None);

        _clock.Advance(TimeSpan.FromMilliseconds(501));

        Assert.Null(await there.FindAsync(made.Key, CancellationToken.None));
    }

    [Fact]
    public async Task A_key_ends_at_its_time()
    {
        using var keys = Keys(await databases.NewAsync(Provider.Sqlite));
        var made = await keys.CreateAsync("guest", [Scopes.Read], _clock.GetUtcNow().AddSeconds(10), null, CancellationToken.None);
        Assert.NotNull(await keys.FindAsync(made.Key, CancellationToken.None));

        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Null(await keys.FindAsync(made.Key, CancellationToken.None));
    }

    [Fact]
    public async Task Unknown_scopes_and_times_in_the_past_are_refused_with_their_field()
    {
        using var keys = Keys(await databases.NewAsync(Provider.Sqlite));

        var scope = await Assert.ThrowsAsync<LlmOsException>(() => keys.CreateAsync("x", ["root"], null, null, CancellationToken.None));
        var time = await Assert.ThrowsAsync<LlmOsException>(() => keys.CreateAsync("x", [Scopes.Read], _clock.GetUtcNow(), null, CancellationToken.None));

        Assert.Equal(("scopes", "expires_at"), (scope.Field, time.Field));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_new_database_gets_one_admin_key_and_an_old_one_none(Provider provider)
    {
        using var keys = Keys(await databases.NewAsync(provider));

        var first = await EnsureAdminAsync(keys);
        var second = await EnsureAdminAsync(keys);

        Assert.Null(second);
        Assert.Equal([Scopes.Admin], (await keys.FindAsync(first!, CancellationToken.None))?.Scopes);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_configured_admin_key_is_taken_and_not_told(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        const string Configured = "a-key-of-somebody's-own-making";
        using var keys = Keys(database, Configured);

        Assert.Null(await EnsureAdminAsync(keys));

        Assert.Equal([Scopes.Admin], (await keys.FindAsync(Configured, CancellationToken.None))?.Scopes);
        Assert.Null(await keys.FindAsync(Configured + "x", CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_last_admin_key_cannot_be_revoked(Provider provider)
    {
        using var keys = Keys(await databases.NewAsync(provider));
        var first = await EnsureAdminAsync(keys);
        var caller = (await keys.FindAsync(first!, CancellationToken.None))!;

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => keys.RevokeAsync(caller.KeyId, CancellationToken.None));
        await keys.CreateAsync("second admin", [Scopes.Admin], null, null, CancellationToken.None);
        await keys.RevokeAsync(caller.KeyId, CancellationToken.None);

        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        Assert.Null(await keys.FindAsync(first!, CancellationToken.None));
    }

    private ApiKeys Keys(TestDatabase database, string? adminKey = null) => new(
        database,
        new LlmOsSettings { Data = "/", ImportDirs = [], Database = database.Settings.Database, AdminKey = adminKey },
        new KeyUse(database, _clock, NullLogger<KeyUse>.Instance),
        _clock);

    /// <returns>The key that was shown; null when none was.</returns>
    private static async Task<string?> EnsureAdminAsync(ApiKeys keys)
    {
        string? shown = null;
        await keys.EnsureAdminAsync(key => shown = key, CancellationToken.None);
        return shown;
    }
}
