using LlmOs.Infrastructure.Access;
using LlmOs.Infrastructure.Jobs;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Tests.Storage;

/// <summary>What both databases must do alike.</summary>
public class LlmOsDbTests(TestDatabases databases)
{
    private static readonly DateTimeOffset Noon = new(2026, 2, 3, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<Provider> Providers => [Provider.Sqlite, Provider.Postgres];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Times_of_any_offset_are_kept_as_the_same_moment_and_sort_as_moments(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        var inBerlin = new DateTimeOffset(2026, 2, 3, 12, 30, 0, TimeSpan.FromHours(1)); // 11:30 UTC
        await using (var db = database.CreateDbContext())
        {
            db.AddRange(Key("at-noon", Noon), Key("before", inBerlin));
            await db.SaveChangesAsync();
        }

        await using var reader = database.CreateDbContext();
        var sorted = await reader.ApiKeys.OrderBy(k => k.CreatedAt).Select(k => new { k.Id, k.CreatedAt }).ToListAsync();
        var early = await reader.ApiKeys.CountAsync(k => k.CreatedAt < Noon);

        Assert.Equal(["before", "at-noon"], sorted.Select(k => k.Id));
        Assert.Equal(inBerlin.UtcDateTime, sorted[0].CreatedAt.UtcDateTime);
        Assert.Equal(TimeSpan.Zero, sorted[0].CreatedAt.Offset);
        Assert.Equal(1, early);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Tables_and_columns_are_in_snake_case_and_enums_are_words(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await using var db = database.CreateDbContext();
        db.Add(Job.Submit("import", "{}", 0, Noon));
        await db.SaveChangesAsync();

        var state = await db.Database.SqlQueryRaw<string>("select state as \"Value\" from jobs where created_at is not null").SingleAsync();

        Assert.Equal("Queued", state);
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_second_of_two_writers_of_a_row_is_told(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await using (var db = database.CreateDbContext())
        {
            db.Add(Job.Submit("import", "{}", 0, Noon));
            await db.SaveChangesAsync();
        }

        await using var first = database.CreateDbContext();
        await using var second = database.CreateDbContext();
        var (mine, yours) = (await first.Jobs.SingleAsync(), await second.Jobs.SingleAsync());
        mine.Cancel(Noon);
        await first.SaveChangesAsync();
        yours.Cancel(Noon);

        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => second.SaveChangesAsync());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task A_repeated_unique_key_is_told_apart_from_other_failures(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await using var db = database.CreateDbContext();
        db.AddRange(Key("same", Noon), Key("same", Noon));

        var repeated = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());

        Assert.True(repeated.IsUniqueViolation());
        Assert.False(new DbUpdateException("other", new InvalidOperationException()).IsUniqueViolation());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task The_migrations_give_exactly_the_tables_of_the_features(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        await using var db = database.CreateDbContext();

        Assert.False(db.Database.HasPendingModelChanges(), "A table changed without a migration: run tools/add-migration.sh.");
        Assert.Empty(await db.Database.GetPendingMigrationsAsync());
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Text_of_all_scripts_comes_back_as_it_was(Provider provider)
    {
        var database = await databases.NewAsync(provider);
        const string Name = "naïve Ωmega 漢字 👩‍🚀";
        await using (var db = database.CreateDbContext())
        {
            db.Add(Key("text", Noon, Name));
            await db.SaveChangesAsync();
        }

        await using var reader = database.CreateDbContext();

        Assert.Equal(Name, await reader.ApiKeys.Where(k => k.Name == Name).Select(k => k.Name).SingleAsync());
    }

    private static ApiKey Key(string id, DateTimeOffset at, string name = "a key") => new()
    {
        Id = id,
        Name = name,
        Prefix = id,
        Hash = Guid.NewGuid().ToString("n"),
        Scopes = Scopes.Read,
        CreatedAt = at,
    };
}
