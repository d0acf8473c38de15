using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Compute;

/// <summary>A running host, as the others see it. The row goes when the host stops; a crashed host's row is swept after an hour.</summary>
public sealed class Node
{
    /// <summary>A host that has been silent for this long is shown as lost.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(20);

    /// <summary>A lost host is forgotten after this long.</summary>
    public static readonly TimeSpan ForgottenAfter = TimeSpan.FromHours(1);

    public required string Id { get; init; }

    /// <summary>Words of <see cref="HostRoles"/>, separated by commas.</summary>
    public required string Roles { get; init; }

    public required int Processors { get; init; }

    public required long MemoryBytes { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset SeenAt { get; set; }

    public bool Draining { get; set; }

    public NodeView ToView(DateTimeOffset now) => new(
        Id,
        now - SeenAt > LostAfter ? "lost" : Draining ? "draining" : "ready",
        Roles.Split(','),
        Processors,
        MemoryBytes,
        StartedAt,
        SeenAt);
}

/// <summary>Who this process is among the hosts; another after each start, so that a lease never outlives its holder.</summary>
public sealed class NodeIdentity
{
    public string Id { get; } = $"{MachineName()}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}";

    private static string MachineName()
    {
        var name = Environment.MachineName;
        return name.Length > 64 ? name[..64] : name;
    }
}

internal sealed class NodeTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<Node>(node =>
    {
        node.ToTable("nodes");
        node.HasKey(n => n.Id);
        node.Property(n => n.Id).HasMaxLength(128);
        node.Property(n => n.Roles).HasMaxLength(128);
    });
}

internal static class NodeQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<Node> Nodes => db.Set<Node>();
    }
}
