using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LlmOs.Server.Hosting;

/// <summary>
/// A schema as lines that can be compared: columns with type and nullability, keys and indexes of the tables of a model.
/// The order of columns and their defaults are left out: a column that was added later stands last and may have a
/// default, and every write names all columns.
/// </summary>
internal static class SchemaText
{
    private const string SqliteLines = """
        select 'column ' || m.name || '.' || c.name || ' ' || c.type || case when c."notnull" = 1 then '' else ' null' end
        from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'
        union all
        select 'primary key ' || m.name || ' (' || (select group_concat(name, ',') from (select name from pragma_table_info(m.name) where pk > 0 order by pk)) || ')'
        from sqlite_master m where m.type = 'table'
        union all
        select case when i."unique" = 1 then 'unique index ' else 'index ' end || m.name || ' ' || i.name || ' ('
            || (select group_concat(name, ',') from (select x.name || case when x."desc" = 1 then ' desc' else '' end as name from pragma_index_xinfo(i.name) x where x.key = 1 order by x.seqno)) || ')'
        from sqlite_master m, pragma_index_list(m.name) i where m.type = 'table' and i.origin = 'c'
        union all
        select 'foreign key ' || m.name || ' (' || group_concat(f."from", ',') || ') ' || f."table" || ' ' || f.on_delete
        from sqlite_master m, pragma_foreign_key_list(m.name) f where m.type = 'table' group by m.name, f.id
        """;

    private const string PostgresLines = """
        with tables as (select c.oid, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = current_schema() and c.relkind = 'r')
        select 'column ' || t.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then '' else ' null' end
        from tables t join pg_attribute a on a.attrelid = t.oid where a.attnum > 0 and not a.attisdropped
        union all
        select 'primary key ' || t.name || ' (' || (select string_agg(a.attname, ',' order by k.place) from unnest(i.indkey) with ordinality k(number, place) join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) || ')'
        from tables t join pg_index i on i.indrelid = t.oid and i.indisprimary
        union all
        select case when i.indisunique then 'unique index ' else 'index ' end || t.name || ' ' || x.relname || ' ('
            || (select string_agg(a.attname || case when i.indoption[k.place - 1] & 1 = 1 then ' desc' else '' end, ',' order by k.place) from unnest(i.indkey) with ordinality k(number, place) join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) || ')'
        from tables t join pg_index i on i.indrelid = t.oid and not i.indisprimary join pg_class x on x.oid = i.indexrelid
        union all
        select 'foreign key ' || t.name || ' (' || (select string_agg(a.attname, ',' order by k.place) from unnest(f.conkey) with ordinality k(number, place) join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) || ') '
            || r.relname || ' ' || case f.confdeltype when 'c' then 'CASCADE' when 'n' then 'SET NULL' when 'r' then 'RESTRICT' when 'd' then 'SET DEFAULT' else 'NO ACTION' end
        from tables t join pg_constraint f on f.conrelid = t.oid and f.contype = 'f' join pg_class r on r.oid = f.confrelid
        """;

    /// <summary>What the tables of <paramref name="model"/> should be.</summary>
    public static IReadOnlyList<string> Of(IRelationalModel model) =>
        [.. model.Tables.SelectMany(Of).Order(StringComparer.Ordinal)];

    /// <summary>What the same tables are in the database; others, which an owner may have made, are none of our business.</summary>
    public static async Task<IReadOnlyList<string>> OfAsync(LlmOsDb db, IRelationalModel model, CancellationToken cancel)
    {
        var names = model.Tables.Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        var lines = await db.Database.SqlQueryRaw<string>(db.IsPostgres ? PostgresLines : SqliteLines).ToListAsync(cancel);
        return [.. lines.Where(line => line is not null && names.Contains(TableOf(line))).Order(StringComparer.Ordinal)];
    }

    private static string TableOf(string line)
    {
        var words = line.Split(' ');
        var at = Array.FindIndex(words, word => word is "column" or "key" or "index") + 1;
        return words[at].Split('.')[0];
    }

    private static IEnumerable<string> Of(ITable table)
    {
        foreach (var column in table.Columns)
        {
            yield return $"column {table.Name}.{column.Name} {column.StoreType}{(column.IsNullable ? " null" : "")}";
        }

        yield return $"primary key {table.Name} ({Names(table.PrimaryKey!.Columns)})";
        foreach (var index in table.Indexes)
        {
            var columns = index.Columns.Select((column, i) => column.Name + (IsDescending(index, i) ? " desc" : ""));
            yield return $"{(index.IsUnique ? "unique index" : "index")} {table.Name} {index.Name} ({string.Join(',', columns)})";
        }

        foreach (var key in table.ForeignKeyConstraints)
        {
            yield return $"foreign key {table.Name} ({Names(key.Columns)}) {key.PrincipalTable.Name} {Action(key.OnDeleteAction)}";
        }
    }

    /// <summary>EF writes null for "none" and an empty list for "all".</summary>
    private static bool IsDescending(ITableIndex index, int column) => index.IsDescending is { } marks && (marks.Count == 0 || marks[column]);

    private static string Names(IEnumerable<IColumn> columns) => string.Join(',', columns.Select(column => column.Name));

    private static string Action(ReferentialAction action) => action switch
    {
        ReferentialAction.Cascade => "CASCADE",
        ReferentialAction.SetNull => "SET NULL",
        ReferentialAction.Restrict => "RESTRICT",
        ReferentialAction.SetDefault => "SET DEFAULT",
        _ => "NO ACTION",
    };
}
