using LlmOs.Contracts;
using LlmOs.Infrastructure;
using LlmOs.Models.Registry;
using LlmOs.Testing;
using Microsoft.EntityFrameworkCore;

[assembly: AssemblyFixture(typeof(PostgresServer))]

namespace LlmOs.Models.Tests.Registry;

public sealed class ModelRegistrySqliteTests : ModelRegistryTests
{
    private protected override Task<RegistryWorld> CreateAsync() => RegistryWorld.CreateAsync();
}

public sealed class ModelRegistryPostgresTests(PostgresServer postgres) : ModelRegistryTests
{
    private protected override async Task<RegistryWorld> CreateAsync() => await RegistryWorld.CreateAsync(await postgres.NewDatabaseAsync());
}

/// <summary>Numbers, aliases and the starter, on each database.</summary>
public abstract class ModelRegistryTests : IAsyncLifetime
{
    private RegistryWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await CreateAsync();

    private protected abstract Task<RegistryWorld> CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await (_world?.DisposeAsync() ?? ValueTask.CompletedTask);
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Versions_are_numbered_from_one_and_the_alias_follows()
    {
        var first = await _world.PublishAsync(RegistryWorld.Version("m"));
        var second = await _world.PublishAsync(RegistryWorld.Version("m"));

        await using var db = await _world.DbAsync();
        Assert.Equal([new("m", 1, "m:1"), new("m", 2, "m:2")], [first, second]);
        Assert.Equal(2, (await db.ModelAliases.SingleAsync()).Version);
    }

    [Fact]
    public async Task Publishers_that_race_get_different_numbers_without_gaps()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _world.PublishAsync(RegistryWorld.Version("m"))));

        Assert.Equal(Enumerable.Range(1, 8), results.Select(r => r.Version).Order());
    }

    [Fact]
    public async Task What_is_rolled_back_was_never_listed_and_its_number_is_free()
    {
        await using (var db = await _world.DbAsync())
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await _world.Registry.PublishAsync(db, RegistryWorld.Version("m"), CancellationToken.None);
            await transaction.RollbackAsync();
        }

        await using var after = await _world.DbAsync();
        Assert.False(await after.Models.AnyAsync());
        Assert.Equal(1, (await _world.PublishAsync(RegistryWorld.Version("m"))).Version);
    }

    [Fact]
    public async Task Publishing_outside_a_transaction_is_a_bug_and_says_so()
    {
        await using var db = await _world.DbAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => _world.Registry.PublishAsync(db, RegistryWorld.Version("m"), CancellationToken.None));
    }

    [Fact]
    public async Task An_alias_moves_only_from_where_the_caller_believes_it_is()
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));
        await _world.PublishAsync(RegistryWorld.Version("m"));

        var moved = await SetAsync("m", "latest", new AliasRequest { Version = 1, Expected = 2 });
        var late = await Assert.ThrowsAsync<LlmOsException>(() => SetAsync("m", "latest", new AliasRequest { Version = 2, Expected = 2 }));

        Assert.Equal(new AliasView("m", "latest", 1), moved);
        Assert.Equal((ErrorCode.Conflict, "expected"), (late.Code, late.Field));
        Assert.Contains("points at version 1, not at 2", late.Message);
    }

    [Fact]
    public async Task Of_writers_that_expect_the_same_exactly_one_wins()
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));
        await _world.PublishAsync(RegistryWorld.Version("m", alias: null));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            try
            {
                await SetAsync("m", "latest", new AliasRequest { Version = 2, Expected = 1 });
                return true;
            }
            catch (LlmOsException refusal) when (refusal.Code == ErrorCode.Conflict)
            {
                return false;
            }
        }));

        Assert.Single(outcomes, won => won);
    }

    [Fact]
    public async Task An_alias_that_is_new_needs_no_expectation_and_cannot_meet_one()
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => SetAsync("m", "live", new AliasRequest { Version = 1, Expected = 1 }));
        await SetAsync("m", "live", new AliasRequest { Version = 1 });

        Assert.Equal(ErrorCode.Conflict, refusal.Code);
        await using var db = await _world.DbAsync();
        Assert.Equal("m:1", (await ModelResolver.ResolveAsync(db, "m@live", CancellationToken.None)).Ref);
    }

    [Theory]
    [InlineData("m", "live", 2, ErrorCode.ModelNotFound)]
    [InlineData("other", "live", 1, ErrorCode.ModelNotFound)]
    [InlineData("m", "7", 1, ErrorCode.InvalidRequest)]
    [InlineData("m", "a b", 1, ErrorCode.InvalidRequest)]
    public async Task An_alias_points_only_at_what_is_there_and_is_a_word(string name, string alias, int version, ErrorCode code)
    {
        await _world.PublishAsync(RegistryWorld.Version("m"));

        var refusal = await Assert.ThrowsAsync<LlmOsException>(() => SetAsync(name, alias, new AliasRequest { Version = version }));

        Assert.Equal(code, refusal.Code);
    }

    [Fact]
    public async Task Publishing_once_leaves_a_version_with_the_same_files_alone()
    {
        async Task<ModelJobResult?> OnceAsync(char content)
        {
            await using var db = await _world.DbAsync();
            await using var transaction = await db.Database.BeginTransactionAsync();
            var result = await _world.Registry.PublishOnceAsync(db, RegistryWorld.Version("m", content: content), CancellationToken.None);
            await transaction.CommitAsync();
            return result;
        }

        Assert.Equal([1, null, 2, null], [(await OnceAsync('a'))?.Version, (await OnceAsync('a'))?.Version, (await OnceAsync('b'))?.Version, (await OnceAsync('a'))?.Version]);
    }

    [Fact]
    public async Task Servers_that_start_together_list_the_starter_once()
    {
        var folder = Path.Combine(_world.Folder.Root, "starter");
        TinyModel.Write(folder, seed: 1);

        var results = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => _world.Get<StarterRegistration>().RegisterAsync(folder, CancellationToken.None)));

        await using var db = await _world.DbAsync();
        Assert.Single(results, r => r is not null);
        Assert.Equal(1, await db.ModelVersions.CountAsync());
    }

    [Fact]
    public async Task A_model_string_is_resolved()
    {
        await _world.PublishAsync(RegistryWorld.Version("org/m"));
        await _world.PublishAsync(RegistryWorld.Version("org/m", alias: "beta"));

        await using var db = await _world.DbAsync();
        async Task<string> RefAsync(string asked) => (await ModelResolver.ResolveAsync(db, asked, CancellationToken.None)).Ref;
        Assert.Equal(["org/m:1", "org/m:2", "org/m:2", "org/m:1"], [await RefAsync("org/m"), await RefAsync("org/m@beta"), await RefAsync("org/m:beta"), await RefAsync("org/m:1")]);
    }

    private async Task<AliasView> SetAsync(string name, string alias, AliasRequest request)
    {
        await using var db = await _world.DbAsync();
        return await _world.Registry.SetAliasAsync(db, name, alias, request, "key_test", CancellationToken.None);
    }
}
