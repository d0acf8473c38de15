using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;
using Microsoft.Extensions.DependencyInjection;

namespace LlmOs.Infrastructure.Storage;

/// <summary>
/// The one database of the platform. It knows no table by name: each feature brings its own
/// through an <see cref="ITableMap"/>, so this tier stays below the tiers that use it.
/// </summary>
/// <remarks>
/// Both databases behave alike: times are kept in UTC, enums as their names, tables and columns in snake case.
/// In queries compare times with a captured variable; <c>.Date</c> and the clock inside a lambda fail on SQLite.
/// </remarks>
public abstract class LlmOsDb(DbContextOptions options, IEnumerable<ITableMap> maps) : DbContext(options)
{
    /// <summary>True on PostgreSQL, false on SQLite.</summary>
    public abstract bool IsPostgres { get; }

    /// <summary>Tells models with different tables apart; part of the key under which EF caches a model.</summary>
    internal string TableKey { get; } = string.Join('|', maps.Select(map => map.GetType().FullName).Order(StringComparer.Ordinal));

    public override int SaveChanges(bool acceptAllChangesOnSuccess)
    {
        StampVersions();
        return base.SaveChanges(acceptAllChangesOnSuccess);
    }

    public override Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        StampVersions();
        return base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
    }

    /// <summary>
    /// Lets the commits of this context reach the disk later: a power cut may lose the last of them, never half of one. For
    /// what is written all the time and soon written anew, such as heartbeats.
    /// </summary>
    public virtual Task RelaxAsync(CancellationToken cancel) => Task.CompletedTask;

    /// <summary>A time as the database stores it, for SQL written by hand.</summary>
    public object StoredTime(DateTimeOffset time) => IsPostgres ? time.ToUniversalTime() : time.UtcTicks;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var map in maps.OrderBy(map => map.GetType().FullName, StringComparer.Ordinal))
        {
            map.Map(modelBuilder);
        }

        foreach (var entity in modelBuilder.Model.GetEntityTypes().Where(e => e.ClrType.IsAssignableTo(typeof(IRowVersion))))
        {
            modelBuilder.Entity(entity.ClrType).Property(nameof(IRowVersion.RowVersion)).IsConcurrencyToken();
        }
    }

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        configurationBuilder.Properties<Enum>().HaveConversion<string>().HaveMaxLength(32);
        if (IsPostgres)
        {
            configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcTime>();
        }
        else
        {
            configurationBuilder.Properties<DateTimeOffset>().HaveConversion<UtcTicks>();
        }
    }

    private void StampVersions()
    {
        foreach (var entry in ChangeTracker.Entries<IRowVersion>())
        {
            if (entry.State == EntityState.Modified)
            {
                entry.Entity.RowVersion++;
            }
        }
    }

    /// <summary>timestamptz takes offset zero only.</summary>
    private sealed class UtcTime() : ValueConverter<DateTimeOffset, DateTimeOffset>(time => time.ToUniversalTime(), time => time);

    /// <summary>SQLite has no time type; ticks sort and compare as times do.</summary>
    private sealed class UtcTicks() : ValueConverter<DateTimeOffset, long>(time => time.UtcTicks, ticks => new DateTimeOffset(ticks, TimeSpan.Zero));
}

/// <summary>A feature's contribution to the database model.</summary>
public interface ITableMap
{
    void Map(ModelBuilder model);
}

/// <summary>Reads the tables out of what the tiers register, for who opens the database without a host.</summary>
public static class TableMaps
{
    public static IReadOnlyList<ITableMap> Of(IServiceCollection services)
    {
        // Only the maps: whatever else is registered may not be made outside a host.
        IServiceCollection maps = new ServiceCollection();
        foreach (var map in services.Where(service => service.ServiceType == typeof(ITableMap)))
        {
            maps.Add(map);
        }

        using var provider = maps.BuildServiceProvider();
        return [.. provider.GetServices<ITableMap>()];
    }
}

/// <summary>A row that two writers may meet: the second to save gets <see cref="DbUpdateConcurrencyException"/>.</summary>
/// <remarks>Guards changes made through loaded entities. <c>ExecuteUpdate</c> must compare what it relies on in its own <c>Where</c>.</remarks>
public interface IRowVersion
{
    long RowVersion { get; set; }
}
