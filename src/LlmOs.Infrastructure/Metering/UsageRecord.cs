using System.Globalization;
using System.Security.Cryptography;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Metering;

/// <summary>What one run of a model cost. Never changed once it is written.</summary>
public sealed class UsageRecord
{
    /// <summary>Order of writing.</summary>
    public long Seq { get; set; }

    public string Id { get; init; } = $"usage_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The day of <see cref="CreatedAt"/> in UTC, <c>2026-11-30</c>: what summaries group by.</summary>
    public string Day { get; private set; } = "";

    /// <summary>See <see cref="Operations"/>.</summary>
    public required string Operation { get; init; }

    /// <summary><c>name:3</c></summary>
    public required string Model { get; init; }

    public long PromptTokens { get; init; }

    public long CachedTokens { get; init; }

    public long GeneratedTokens { get; init; }

    public double QueueMs { get; init; }

    public double PromptMs { get; init; }

    public double DecodeMs { get; init; }

    public double LoadMs { get; init; }

    public string? KeyId { get; init; }

    public string? UserId { get; init; }

    public string? App { get; init; }

    public string? JobId { get; init; }

    /// <summary>Sets what follows from the rest.</summary>
    internal UsageRecord Finished()
    {
        Day = CreatedAt.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return this;
    }

    internal UsageView ToView() =>
        new(Id, CreatedAt, Operation, Model, PromptTokens, CachedTokens, GeneratedTokens, QueueMs, PromptMs, DecodeMs, LoadMs, KeyId, UserId, App, JobId);
}

internal sealed class UsageTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<UsageRecord>(record =>
    {
        record.ToTable("usage_records");
        record.HasKey(r => r.Seq);
        record.Property(r => r.Id).HasMaxLength(40);
        record.HasIndex(r => r.Id).IsUnique();
        record.Property(r => r.Day).HasMaxLength(10);
        record.Property(r => r.Operation).HasMaxLength(64);
        record.Property(r => r.Model).HasMaxLength(320);
        record.Property(r => r.KeyId).HasMaxLength(40);
        record.Property(r => r.UserId).HasMaxLength(40);
        record.Property(r => r.App).HasMaxLength(63);
        record.Property(r => r.JobId).HasMaxLength(40);
        record.HasIndex(r => r.CreatedAt);
        record.HasIndex(r => new { r.KeyId, r.Seq });
        record.HasIndex(r => new { r.UserId, r.Seq });
    });
}

internal static class UsageQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<UsageRecord> UsageRecords => db.Set<UsageRecord>();
    }
}
