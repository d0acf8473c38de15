using LlmOs.Apps;
using LlmOs.Infrastructure;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models;
using LlmOs.Tools;
using Microsoft.EntityFrameworkCore.Design;

namespace LlmOs.Server.Hosting;

/// <summary>Lets <c>dotnet ef</c> see the tables of all tiers without starting a server.</summary>
internal static class DesignTime
{
    public static IReadOnlyList<ITableMap> Tables()
    {
        var settings = new LlmOsSettings { Data = Path.GetTempPath(), ImportDirs = [] };
        return TableMaps.Of(new ServiceCollection().AddInfrastructure(settings).AddModels().AddTools().AddApps());
    }
}

/// <summary>Found by <c>dotnet ef</c>.</summary>
internal sealed class SqliteDesign : IDesignTimeDbContextFactory<SqliteDb>
{
    public SqliteDb CreateDbContext(string[] args) => new(ProviderOptions.Sqlite("design.db"), DesignTime.Tables());
}

/// <summary>Found by <c>dotnet ef</c>.</summary>
internal sealed class PostgresDesign : IDesignTimeDbContextFactory<PostgresDb>
{
    public PostgresDb CreateDbContext(string[] args) => new(ProviderOptions.Postgres("Host=design"), DesignTime.Tables());
}
