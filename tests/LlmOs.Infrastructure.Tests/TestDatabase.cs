using LlmOs.Apps;
using LlmOs.Infrastructure.Storage;
using LlmOs.Infrastructure.Tests;
using LlmOs.Models;
using LlmOs.Testing;
using LlmOs.Tools;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

[assembly: AssemblyFixture(typeof(TestDatabases))]

namespace LlmOs.Infrastructure.Tests;

/// <summary>The two databases that the platform runs on.</summary>
public enum Provider
{
    Sqlite,
    Postgres,
}

/// <summary>Migrated databases for tests, on either provider.</summary>
public sealed class TestDatabases : IAsyncLifetime
{
    private readonly PostgresServer _postgres = new();
    private readonly TempFolder _folder = new();
    private readonly IReadOnlyList<ITableMap> _maps = AllMaps();

    private string Template => _folder.At("template.db");

    public async ValueTask InitializeAsync()
    {
        await _postgres.InitializeAsync();
        await using (var db = new SqliteDb(ProviderOptions.Sqlite(Template), _maps))
        {
            await db.Database.MigrateAsync();
        }

        SqliteConnection.ClearAllPools(); // closes the file, with its write-ahead log written back
    }

    public async ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _folder.Dispose();
        await _postgres.DisposeAsync();
    }

    /// <summary>A new migrated database; skips the test where the provider is not there.</summary>
    /// <param name="dataFolder">Where a host looks for the SQLite file; null: nowhere that a host would look.</param>
    public async Task<TestDatabase> NewAsync(Provider provider, DataFolder? dataFolder = null)
    {
        if (provider == Provider.Postgres)
        {
            var connection = await _postgres.NewDatabaseAsync("migrated", MigrateAsync);
            return new TestDatabase(() => new PostgresDb(ProviderOptions.Postgres(connection), _maps), Settings(connection));
        }

        var file = dataFolder?.SqliteFile ?? _folder.At($"{Guid.NewGuid():n}.db");
        File.Copy(Template, file);
        return new TestDatabase(() => new SqliteDb(ProviderOptions.Sqlite(file), _maps), Settings(null));
    }

    private LlmOsSettings Settings(string? connection) => new() { Data = _folder.Path, Database = connection, ImportDirs = [_folder.Path] };

    private async Task MigrateAsync(string connection)
    {
        await using var db = new PostgresDb(ProviderOptions.Postgres(connection), _maps);
        await db.Database.MigrateAsync();
    }

    private static IReadOnlyList<ITableMap> AllMaps() => TableMaps.Of(
        new ServiceCollection().AddInfrastructure(new LlmOsSettings { Data = "/", ImportDirs = [] }).AddModels().AddTools().AddApps());
}

/// <summary>One database of one test.</summary>
public sealed class TestDatabase(Func<LlmOsDb> create, LlmOsSettings settings) : IDbContextFactory<LlmOsDb>
{
    /// <summary>As a host on this database would have them.</summary>
    public LlmOsSettings Settings { get; } = settings;

    public LlmOsDb CreateDbContext() => create();
}
