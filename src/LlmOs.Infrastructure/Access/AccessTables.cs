using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Access;

/// <summary>A secret that all hosts of one database share.</summary>
internal sealed class ServerSecret
{
    public required string Name { get; init; }

    public required byte[] Value { get; init; }
}

internal sealed class AccessTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<ApiKey>(key =>
        {
            key.ToTable("api_keys");
            key.HasKey(k => k.Seq);
            key.HasIndex(k => k.Id).IsUnique();
            key.Property(k => k.Id).HasMaxLength(40).IsRequired();
            key.Property(k => k.Name).HasMaxLength(100);
            key.Property(k => k.Prefix).HasMaxLength(40);
            key.Property(k => k.Hash).HasMaxLength(64);
            key.HasIndex(k => k.Hash).IsUnique();
            key.Property(k => k.MadeBy).HasMaxLength(40);
            key.HasIndex(k => k.MadeBy);
        });
        model.Entity<User>(user =>
        {
            user.ToTable("users");
            user.HasKey(u => u.Seq);
            user.Property(u => u.Id).HasMaxLength(40);
            user.HasIndex(u => u.Id).IsUnique();
            user.Property(u => u.Name).HasMaxLength(64);
            user.HasIndex(u => u.Name).IsUnique();
            user.Property(u => u.Stamp).HasMaxLength(32);
        });
        model.Entity<Session>(session =>
        {
            session.ToTable("sessions");
            session.HasKey(s => s.Seq);
            session.Property(s => s.Id).HasMaxLength(32);
            session.HasIndex(s => s.Id).IsUnique();
            session.Property(s => s.CallerId).HasMaxLength(40);
            session.HasIndex(s => s.CreatedAt);
        });
        model.Entity<ServerSecret>(secret =>
        {
            secret.ToTable("server_secrets");
            secret.HasKey(s => s.Name);
            secret.Property(s => s.Name).HasMaxLength(64);
        });
    }
}

internal static class AccessQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<ApiKey> ApiKeys => db.Set<ApiKey>();

        public DbSet<User> Users => db.Set<User>();

        public DbSet<Session> Sessions => db.Set<Session>();

        public DbSet<ServerSecret> ServerSecrets => db.Set<ServerSecret>();
    }
}
