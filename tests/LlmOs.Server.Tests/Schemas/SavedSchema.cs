using System.Data.Common;
using System.Globalization;
using LlmOs.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LlmOs.Server.Tests.Schemas;

/// <summary>A filled database of an earlier schema, as it lies in this folder, put where a server starts on it.</summary>
public sealed class SavedSchema : IAsyncDisposable
{
    public const string SqliteFile = "llmos.db";
    public const string PostgresFile = "postgres.sql";

    /// <summary>The schema before its six migrations became one.</summary>
    public const string SixMigrations = "six-migrations";

    private readonly TempFolder _folder = new();
    private readonly string? _postgres;

    private SavedSchema(string? postgres) => _postgres = postgres;

    public static IReadOnlyList<string> Names { get; } =
        [.. Directory.GetDirectories(Path.GetDirectoryName(FolderOf("x"))!).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    /// <summary>How a server starts on it.</summary>
    public ServerStart Start => new()
    {
        Data = _folder.Path,
        Environment = new Dictionary<string, string?>
        {
            ["LLMOS_DATABASE"] = _postgres,

            // The file grows old; what it holds must not be swept away for that.
            ["Jobs__KeepDays"] = "3650",
            ["Collector__UploadDays"] = "3650",
            ["Collector__FailedJobDays"] = "3650",
        },
    };

    public static string FolderOf(string name) => Path.Combine(SharedFolder.Repository, "tests", "LlmOs.Server.Tests", "Schemas", name);

    /// <param name="postgres">Where to load the dump; null: the SQLite file.</param>
    public static async Task<SavedSchema> OpenAsync(string name, PostgresServer? postgres)
    {
        var saved = new SavedSchema(postgres is null ? null : await postgres.NewDatabaseAsync());
        if (postgres is null)
        {
            File.Copy(Path.Combine(FolderOf(name), SqliteFile), saved._folder.At(SqliteFile));
        }
        else
        {
            await saved.ExecuteAsync(await File.ReadAllTextAsync(Path.Combine(FolderOf(name), PostgresFile)));
            NpgsqlConnection.ClearAllPools(); // the dump changes the session's search path
        }

        await saved.LayBlobsAsync();
        return saved;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // text of the repository's own
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Puts a file in the place of each that the database refers to, by which a server knows the folder. What is in them nobody asks here.</summary>
    private async Task LayBlobsAsync()
    {
        foreach (var row in await QueryAsync("select sha256 from model_files union select sha256 from tokenizer_files"))
        {
            Directory.CreateDirectory(_folder.At("blobs", row[0][..2]));
            await File.WriteAllTextAsync(_folder.At("blobs", row[0][..2], row[0]), "");
        }
    }

    /// <summary>The ids in the history of migrations.</summary>
    public async Task<IReadOnlyList<string>> HistoryAsync() =>
        [.. (await QueryAsync("""select "migration_id" from "__EFMigrationsHistory" order by 1""")).Select(row => row[0])];

    /// <summary>The columns of each table but the history's.</summary>
    public async Task<IReadOnlyDictionary<string, string[]>> ColumnsAsync()
    {
        var rows = await QueryAsync(_postgres is null
            ? "select m.name, c.name from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' and m.name not like 'sqlite%' and m.name not like '\\_\\_EF%' escape '\\' order by 1, c.cid"
            : "select table_name, column_name from information_schema.columns where table_schema = 'public' and table_name not like '\\_\\_EF%' order by 1, ordinal_position");
        return rows.GroupBy(row => row[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Select(row => row[1]).ToArray(), StringComparer.Ordinal);
    }

    /// <summary>Every row of every table as text: "table: value | value ...", in these columns.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync(IReadOnlyDictionary<string, string[]> columns)
    {
        List<string> rows = [];
        foreach (var (table, names) in columns)
        {
            var found = await QueryAsync($"""select {string.Join(", ", names.Select(name => $"\"{name}\""))} from "{table}" """);
            rows.AddRange(found.Select(row => $"{table}: {string.Join(" | ", row)}"));
        }

        return [.. rows.Order(StringComparer.Ordinal)];
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<List<string[]>> QueryAsync(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // text of the repository's own
        command.CommandText = sql;
#pragma warning restore CA2100
        await using var reader = await command.ExecuteReaderAsync();
        List<string[]> rows = [];
        while (await reader.ReadAsync())
        {
            rows.Add([.. Enumerable.Range(0, reader.FieldCount).Select(i => Text(reader.GetValue(i)))]);
        }

        return rows;
    }

    private static string Text(object value) => value switch
    {
        byte[] bytes => Convert.ToHexString(bytes),
        DateTime time => time.ToString("o", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private async Task<DbConnection> ConnectAsync()
    {
        DbConnection connection = _postgres is null
            ? new SqliteConnection($"Data Source={_folder.At(SqliteFile)};Pooling=false")
            : new NpgsqlConnection(_postgres);
        await connection.OpenAsync();
        return connection;
    }
}
