using System.Text.Json;
using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using LlmOs.Models.Registry;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Tools.Evaluation;

/// <summary>What of a row is compared between two models: its sum, and what that is a sum over.</summary>
internal sealed record ComparedRow(double Sum, double Weight);

/// <summary>What an evaluation found.</summary>
/// <param name="Metrics">Kept on the version: the result without its rows.</param>
/// <param name="Result">The job's result.</param>
internal sealed record EvaluationOutcome(string Kind, string Fingerprint, JsonElement Metrics, JsonElement Result, IReadOnlyList<ComparedRow> Rows);

/// <summary>A finished evaluation of one version.</summary>
public sealed class StoredEvaluation
{
    public long Seq { get; init; }

    /// <summary>The job's id.</summary>
    public required string Id { get; init; }

    public required long VersionId { get; init; }

    /// <summary><c>name:3</c></summary>
    public required string Model { get; init; }

    public required string Kind { get; init; }

    /// <summary>Equal for the same data and settings.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>JSON object, as on the version.</summary>
    public required string Metrics { get; init; }

    /// <summary>JSON list of <see cref="ComparedRow"/>.</summary>
    public required string Rows { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public EvaluationView ToView() => new(Id, Model, Kind, Fingerprint, JsonSerializer.Deserialize<JsonElement>(Metrics, LlmOsJson.Options), CreatedAt);

    internal IReadOnlyList<ComparedRow> ReadRows() => JsonSerializer.Deserialize<List<ComparedRow>>(Rows, LlmOsJson.Options)!;
}

internal sealed class EvaluationTables : ITableMap
{
    public void Map(ModelBuilder model) => model.Entity<StoredEvaluation>(evaluation =>
    {
        evaluation.ToTable("evaluations");
        evaluation.HasKey(e => e.Seq);
        evaluation.HasIndex(e => e.Id).IsUnique();
        evaluation.HasIndex(e => new { e.VersionId, e.Fingerprint });
        evaluation.Property(e => e.Id).HasMaxLength(40);
        evaluation.Property(e => e.Model).HasMaxLength(320);
        evaluation.Property(e => e.Kind).HasMaxLength(32);
        evaluation.Property(e => e.Fingerprint).HasMaxLength(64);
        evaluation.HasOne<ModelVersion>().WithMany().HasForeignKey(e => e.VersionId).OnDelete(DeleteBehavior.Cascade);
    });
}

/// <summary>The table of evaluations.</summary>
internal static class EvaluationQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<StoredEvaluation> Evaluations => db.Set<StoredEvaluation>();
    }
}
