using LlmOs.Contracts;
using LlmOs.Infrastructure.Access;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

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
        using var keys = Keys(database);

        var made = await keys.CreateAsync("laptop", [Scopes.Inference, Scopes.App("stories")], null, null, CancellationToken.None);
        var caller = await keys.FindAsync(made.Key, CancellationToken.None);

        Assert.Matches("^llmos_sk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$", made.Key);
        Assert.StartsWith(made.Prefix, made.Key, StringComparison.Ordinal);
        Assert.Equal(made.Id, caller?.KeyId);
        Assert.Equal(["inference", "app:stories"], caller?.Scopes);
        await using var db = database.CreateDbContext();
        var row = await db.ApiKeys.SingleAsync();
        var secret = made.Key[^43..];
        Assert.DoesNotContain(secret, $"{row.Id}{row.Prefix}{row.Hash}{row.Name}", StringComparison.Ordinal);
        Assert.NotNull(row.LastUsedAt);
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
        await keys.EnsureAdminAsync(CancellationToken.None);
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

        var first = await keys.EnsureAdminAsync(CancellationToken.None);
        var second = await keys.EnsureAdminAsync(CancellationToken.None);

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

        Assert.Null(await keys.EnsureAdminAsync(CancellationToken.None));

        Assert.Equal([Scopes.Admin], (await keys.FindAsync(Configured, CancellationToken.None))?.Scopes);
        Assert.Null(await keys.FindAsync(Configured + "x", CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_last_admin_key_cannot_be_revoked(Provider provider)
    {
        using var keys = Keys(await databases.NewAsync(provider));
        var first = await keys.EnsureAdminAsync(CancellationToken.None);
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
        _clock);
}
