using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LlmOs.Server.Hosting;

/// <summary>
/// The six migrations that were one schema before they became one migration. A database that has all of them, and is
/// as they left it, takes the one migration as applied: its rows stay as they are.
/// </summary>
internal static class OldHistory
{
    private static readonly string[] Sqlite =
    [
        "20261124051226_Initial", "20261125072439_RegistryWhole", "20261125075926_JobsWhole",
        "20261125081354_Tokenizers", "20261125081944_Evaluations", "20261125200553_Users",
    ];

    private static readonly string[] Postgres =
    [
        "20261124051230_Initial", "20261125072454_RegistryWhole", "20261125075938_JobsWhole",
        "20261125081412_Tokenizers", "20261125082003_Evaluations", "20261125200600_Users",
    ];

    /// <summary>True for each of the six.</summary>
    public static bool Knows(string migration) => Sqlite.Contains(migration) || Postgres.Contains(migration);

    /// <summary>Puts the one migration in the place of the six. Call it under the migration lock.</summary>
    /// <param name="applied">The history as it was read.</param>
    /// <returns>True when the history was replaced; false when it holds none of the six.</returns>
    /// <exception cref="StartFailure">Only some of the six are there, or the tables are not as they left them.</exception>
    public static async Task<bool> AdoptAsync(LlmOsDb db, IReadOnlyList<string> applied, CancellationToken cancel)
    {
        var old = db.IsPostgres ? Postgres : Sqlite;
        if (!applied.Any(old.Contains))
        {
            return false;
        }

        if (!applied.SequenceEqual(old))
        {
            var lacks = old.Except(applied).FirstOrDefault();
            throw new StartFailure(StartFailure.Database, lacks is null
                ? $"The database's history of migrations is mixed: beside '{old[^1]}' it names '{applied.Except(old).First()}'. Restore a backup."
                : $"The database is of a development version that this server does not upgrade: its migration '{lacks}' is missing. Start the previous release on it once, then this one.");
        }

        var (id, model) = First(db);
        var (expected, found) = (SchemaText.Of(model), await SchemaText.OfAsync(db, model, cancel));
        if (expected.Except(found).Concat(found.Except(expected)).FirstOrDefault() is { } difference)
        {
            throw new StartFailure(
                StartFailure.Database,
                $"The database's tables are not as its migrations left them: {(expected.Contains(difference) ? "missing" : "not expected")}: {difference}. Undo that change, or restore a backup; nothing was changed.");
        }

        var history = db.GetService<IHistoryRepository>();
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        foreach (var each in old)
        {
            await db.Database.ExecuteSqlRawAsync(history.GetDeleteScript(each), cancel);
        }

        await db.Database.ExecuteSqlRawAsync(history.GetInsertScript(new HistoryRow(id, ProductInfo.GetVersion())), cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    /// <summary>The first migration and the tables that it makes, whatever later ones add to them.</summary>
    private static (string Id, IRelationalModel Model) First(LlmOsDb db)
    {
        var all = db.GetService<IMigrationsAssembly>();
        var (id, type) = all.Migrations.OrderBy(pair => pair.Key, StringComparer.Ordinal).First();
        var migration = all.CreateMigration(type, db.Database.ProviderName!);
        return (id, db.GetService<IModelRuntimeInitializer>().Initialize(migration.TargetModel, designTime: true, validationLogger: null).GetRelationalModel());
    }
}
