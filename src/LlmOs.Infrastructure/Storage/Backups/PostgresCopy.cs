using System.Data;
using LlmOs.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace LlmOs.Infrastructure.Storage.Backups;

/// <summary>The database on PostgreSQL as files that COPY wrote, one for each table, without any program of PostgreSQL's.</summary>
internal static class PostgresCopy
{
    /// <summary>Writes all tables as they stand at one moment, while servers may go on writing.</summary>
    public static async Task<DatabaseCopy> WriteAsync(LlmOsDb db, string folder, CancellationToken cancel)
    {
        // One snapshot for everything that is read.
        await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        var facts = await DatabaseFacts.ReadAsync(db, cancel);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var names = db.GetService<ISqlGenerationHelper>();
        List<BackupTable> tables = [];
        foreach (var table in InOrder(db.Model.GetRelationalModel()))
        {
            IReadOnlyList<string> columns = [.. table.Columns.Select(column => column.Name)];
            var file = $"{table.Name}.copy";
            long rows = 0;
            await using (var to = new StreamWriter(Path.Combine(folder, file)) { NewLine = "\n" })
            using (var from = await connection.BeginTextExportAsync($"copy {Target(names, table.Name, columns)} to stdout", cancel))
            {
                rows = await CopyAsync(from, to, cancel);
            }

            var (numbered, last) = await NumberAsync(connection, table.Name, cancel);
            tables.Add(new BackupTable(table.Name, file, columns, rows, numbered, last));
        }

        return new DatabaseCopy(facts, tables);
    }

    /// <summary>Fills the tables of a database that has the backup's migrations and no rows, all or nothing.</summary>
    /// <exception cref="LlmOsException">There are rows already, or a file holds another number of rows than it should.</exception>
    public static async Task ReadAsync(LlmOsDb db, string backup, BackupManifest manifest, CancellationToken cancel)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var names = db.GetService<ISqlGenerationHelper>();
        foreach (var table in manifest.Tables)
        {
            if (await CountAsync(db, names, table.Name, cancel) > 0)
            {
                throw new LlmOsException(ErrorCode.Conflict, $"The database of LLMOS_DATABASE is not empty: its table {table.Name} has rows.") { Hint = "Restore into a new database." };
            }
        }

        foreach (var table in manifest.Tables)
        {
            var file = manifest.Files.FirstOrDefault(f => f.Area == BackupArea.Database && f.Name == table.File) ?? throw CheckedCopy.Damaged(Shown.Of(table.File));
            using (var from = new StreamReader(file.PathBelow(backup)))
            await using (var to = await connection.BeginTextImportAsync($"copy {Target(names, table.Name, table.Columns)} from stdin", cancel))
            {
                await CopyAsync(from, to, cancel);
            }

            if (await CountAsync(db, names, table.Name, cancel) != table.Rows)
            {
                throw CheckedCopy.Damaged(file.Name);
            }

            if (table is { Numbered: { } column, LastNumber: { } last })
            {
                await using var set = new NpgsqlCommand("select setval(pg_get_serial_sequence($1, $2), $3)", connection) { Parameters = { new() { Value = names.DelimitIdentifier(table.Name) }, new() { Value = column }, new() { Value = last } } };
                await set.ExecuteNonQueryAsync(cancel);
            }
        }

        FaultPoints.Reach("restore.tables");
        await transaction.CommitAsync(cancel);
    }

    /// <summary>Tables that others refer to come before those.</summary>
    private static List<ITable> InOrder(IRelationalModel model)
    {
        List<ITable> ordered = [];
        var left = model.Tables.OrderBy(table => table.Name, StringComparer.Ordinal).ToList();
        while (left.Count > 0)
        {
            var next = left.Find(table => table.ForeignKeyConstraints.All(key => key.PrincipalTable == table || ordered.Contains(key.PrincipalTable)))
                ?? throw new InvalidOperationException("Tables refer to each other in a circle, so none can be filled first.");
            ordered.Add(next);
            left.Remove(next);
        }

        return ordered;
    }

    private static string Target(ISqlGenerationHelper names, string table, IEnumerable<string> columns) =>
        $"{names.DelimitIdentifier(table)} ({string.Join(", ", columns.Select(names.DelimitIdentifier))})";

    /// <returns>The lines: a row is one, since COPY escapes line ends in values.</returns>
    private static async Task<long> CopyAsync(TextReader from, TextWriter to, CancellationToken cancel)
    {
        var buffer = new char[1 << 16];
        long lines = 0;
        int read;
        while ((read = await from.ReadAsync(buffer, cancel)) > 0)
        {
            lines += buffer.AsSpan(0, read).Count('\n');
            await to.WriteAsync(buffer.AsMemory(0, read), cancel);
        }

        return lines;
    }

    private static async Task<long> CountAsync(LlmOsDb db, ISqlGenerationHelper names, string table, CancellationToken cancel)
    {
#pragma warning disable EF1002 // the name is delimited
        return await db.Database.SqlQueryRaw<long>($"select count(*) as \"Value\" from {names.DelimitIdentifier(table)}").SingleAsync(cancel);
#pragma warning restore EF1002
    }

    private static async Task<(string? Column, long? Last)> NumberAsync(NpgsqlConnection connection, string table, CancellationToken cancel)
    {
        const string Sql = """
            select c.column_name, pg_sequence_last_value(pg_get_serial_sequence(quote_ident(c.table_name), c.column_name)::regclass)
            from information_schema.columns c
            where c.table_schema = current_schema() and c.table_name = $1 and c.is_identity = 'YES'
            """;
        await using var ask = new NpgsqlCommand(Sql, connection) { Parameters = { new() { Value = table } } };
        await using var answer = await ask.ExecuteReaderAsync(cancel);
        return await answer.ReadAsync(cancel) ? (answer.GetString(0), await answer.IsDBNullAsync(1, cancel) ? null : answer.GetInt64(1)) : (null, null);
    }
}
