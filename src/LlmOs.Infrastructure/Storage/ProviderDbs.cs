using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace LlmOs.Infrastructure.Storage;

/// <summary>The database on SQLite.</summary>
public sealed class SqliteDb(DbContextOptions<SqliteDb> options, IEnumerable<ITableMap> maps) : LlmOsDb(options, maps)
{
    public override bool IsPostgres => false;

    public override async Task RelaxAsync(CancellationToken cancel)
    {
        await Database.OpenConnectionAsync(cancel); // stays open with this context; the next one that opens it is strict again
        await Database.ExecuteSqlRawAsync("pragma synchronous = normal", cancel);
    }
}

/// <summary>The database on PostgreSQL.</summary>
public sealed class PostgresDb(DbContextOptions<PostgresDb> options, IEnumerable<ITableMap> maps) : LlmOsDb(options, maps)
{
    public override bool IsPostgres => true;
}

/// <summary>How each database is opened; used by the host, the migrations and the tests alike.</summary>
public static class ProviderOptions
{
    /// <summary>Migrations lie with the server, the only process that migrates.</summary>
    public const string MigrationsAssembly = "LlmOs.Server";

    public static DbContextOptions<SqliteDb> Sqlite(string file)
    {
        var connection = new SqliteConnectionStringBuilder { DataSource = file, ForeignKeys = true, DefaultTimeout = 30 }.ToString();
        return Common(new DbContextOptionsBuilder<SqliteDb>())
            .UseSqlite(connection, sqlite => sqlite.MigrationsAssembly(MigrationsAssembly))
            .AddInterceptors(new SqlitePragmas())
            .Options;
    }

    public static DbContextOptions<PostgresDb> Postgres(string connection) =>
        Common(new DbContextOptionsBuilder<PostgresDb>())
            .UseNpgsql(connection, npgsql => npgsql.MigrationsAssembly(MigrationsAssembly))
            .Options;

    private static DbContextOptionsBuilder<T> Common<T>(DbContextOptionsBuilder<T> builder)
        where T : DbContext =>
        builder.UseSnakeCaseNamingConvention().ReplaceService<IModelCacheKeyFactory, TableMapCacheKey>();

    /// <summary>Two sets of table maps in one process (as tests have) are two models.</summary>
    private sealed class TableMapCacheKey : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => (context.GetType(), (context as LlmOsDb)?.TableKey, designTime);
    }

    /// <summary>Write-ahead log with a sync at each commit: neither a crash of the process nor a power cut loses what was committed.</summary>
    private sealed class SqlitePragmas : DbConnectionInterceptor
    {
        private const string Pragmas = "pragma busy_timeout = 30000; pragma journal_mode = wal; pragma synchronous = full;";

        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            command.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = Pragmas;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}

/// <summary>Makes contexts outside a request. Dispose what it gives.</summary>
internal sealed class LlmOsDbFactory : IDbContextFactory<LlmOsDb>
{
    private readonly Func<LlmOsDb> _create;

    public LlmOsDbFactory(LlmOsSettings settings, DataFolder folder, IEnumerable<ITableMap> maps)
    {
        ITableMap[] all = [.. maps];
        if (settings.Database is { } connection)
        {
            var options = ProviderOptions.Postgres(connection);
            _create = () => new PostgresDb(options, all);
        }
        else
        {
            var options = ProviderOptions.Sqlite(folder.SqliteFile);
            _create = () => new SqliteDb(options, all);
        }
    }

    public LlmOsDb CreateDbContext() => _create();
}

/// <summary>What went wrong in the database, told apart alike on both.</summary>
public static class DbFailures
{
    /// <summary>True when a row of the same unique key was already there.</summary>
    public static bool IsUniqueViolation(this DbUpdateException failure) => failure.InnerException switch
    {
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.UniqueViolation,
        SqliteException sqlite => sqlite.SqliteExtendedErrorCode is 2067 or 1555, // SQLITE_CONSTRAINT_UNIQUE, _PRIMARYKEY
        _ => false,
    };
}
