using LlmOs.Contracts;
using LlmOs.Infrastructure.Storage;
using Microsoft.EntityFrameworkCore;

namespace LlmOs.Infrastructure.Jobs;

/// <summary>A line of a job's history.</summary>
public sealed class JobEvent
{
    public long Seq { get; set; }

    public required string JobId { get; init; }

    public required int Attempt { get; init; }

    public required JobState State { get; init; }

    public required double Progress { get; init; }

    public required string Message { get; init; }

    /// <inheritdoc cref="Job.Code"/>
    public string? Code { get; init; }

    /// <inheritdoc cref="Job.Arguments"/>
    public string? Arguments { get; init; }

    /// <summary>JSON object of numbers by name.</summary>
    public required string Metrics { get; init; }

    public double? EtaSeconds { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>A line that a job's run, or the host that ran it, wrote for who looks into it.</summary>
public sealed class JobLogLine
{
    public long Seq { get; set; }

    public required string JobId { get; init; }

    public required int Attempt { get; init; }

    public required JobLogLevel Level { get; init; }

    public required string Text { get; init; }

    /// <inheritdoc cref="Job.Code"/>
    public string? Code { get; init; }

    /// <inheritdoc cref="Job.Arguments"/>
    public string? Arguments { get; init; }

    public required DateTimeOffset At { get; init; }
}

/// <summary>A job waits for another.</summary>
public sealed class JobDependency
{
    public long JobSeq { get; set; }

    /// <summary>The job that must have succeeded.</summary>
    public required string AfterId { get; init; }
}

internal sealed class JobTables : ITableMap
{
    public void Map(ModelBuilder model)
    {
        model.Entity<Job>(job =>
        {
            job.ToTable("jobs");
            job.HasKey(j => j.Seq);
            job.HasIndex(j => j.Id).IsUnique();
            job.HasIndex(j => new { j.State, j.Priority, j.Seq }).IsDescending(false, true, false);
            job.Property(j => j.Id).HasMaxLength(40).IsRequired();
            job.Property(j => j.Kind).HasMaxLength(64);
            job.Property(j => j.Node).HasMaxLength(128);
            job.Property(j => j.Code).HasMaxLength(64);
            job.Property(j => j.Subject).HasMaxLength(512);
            job.Property(j => j.SpecSha256).HasMaxLength(64);
            job.Ignore(j => j.IsOver);
            job.HasMany(j => j.After).WithOne().HasForeignKey(d => d.JobSeq).OnDelete(DeleteBehavior.Cascade);
        });
        model.Entity<JobDependency>(dependency =>
        {
            dependency.ToTable("job_dependencies");
            dependency.HasKey(d => new { d.JobSeq, d.AfterId });
            dependency.HasIndex(d => d.AfterId);
            dependency.Property(d => d.AfterId).HasMaxLength(40);
        });
        model.Entity<JobEvent>(line =>
        {
            line.ToTable("job_events");
            line.HasKey(e => e.Seq);
            line.HasIndex(e => new { e.JobId, e.Seq });
            line.Property(e => e.JobId).HasMaxLength(40);
            line.Property(e => e.Code).HasMaxLength(64);
        });
        model.Entity<JobLogLine>(line =>
        {
            line.ToTable("job_logs");
            line.HasKey(l => l.Seq);
            line.HasIndex(l => new { l.JobId, l.Seq });
            line.Property(l => l.JobId).HasMaxLength(40);
            line.Property(l => l.Code).HasMaxLength(64);
        });
    }
}

/// <summary>The tables of jobs.</summary>
public static class JobQueries
{
    extension(LlmOsDb db)
    {
        public DbSet<Job> Jobs => db.Set<Job>();

        public DbSet<JobEvent> JobEvents => db.Set<JobEvent>();

        public DbSet<JobLogLine> JobLogs => db.Set<JobLogLine>();
    }
}
