using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Storage;

/// <summary>The one row that says which data folder belongs to this database.</summary>
internal sealed class StoreRecord
{
    /// <summary>32 hex digits, as the folder's file says it.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the store was restored from a backup; null once every file was found whole, or where it never was.</summary>
    public DateTimeOffset? UnverifiedSince { get; set; }
}

internal sealed class StoreTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<StoreRecord>(store =>
    {
        store.ToTable("stores");
        store.HasKey(s => s.Id);
        store.Property(s => s.Id).HasMaxLength(32);
    });
}

internal static class StoreQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<StoreRecord> Stores => db.Set<StoreRecord>();
    }
}
