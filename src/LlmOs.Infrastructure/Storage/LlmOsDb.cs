using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// The one database of the platform. It knows no table by name: each feature brings its own
/// through an <see cref="ITableMap"/>, so this tier stays below the tiers that use it.
/// </summary>
public abstract class LlmOsDb(DbContextOptions options, IEnumerable<ITableMap> maps) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var map in maps)
        {
            map.Map(modelBuilder);
        }
    }
}

/// <summary>A feature's contribution to the database model.</summary>
public interface ITableMap
{
    void Map(ModelBuilder model);
}
